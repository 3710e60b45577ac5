package runner

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/paragopher/paragopher/lessons/notebook"
)

// Export writes the lessons to the folder out without running them: as pages that
// need nothing else and link each other, or as Markdown. format is html or md.
// lang "" means all languages.
func Export(out, format, lang string) error {
	if format != "html" && format != "md" {
		return fmt.Errorf("lessons are exported as html or md, not %q", format)
	}
	items, err := collect(Options{Lang: lang})
	if err != nil {
		return err
	}
	for _, it := range items {
		file := filepath.Join(out, it.name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("exporting the lessons: %w", err)
		}
		data := markdownOf(it.n)
		if format == "html" {
			if data, err = render(it); err != nil {
				return fmt.Errorf("making the page of %s: %w", it.name, err)
			}
		}
		if err := notebook.WriteFile(file+"."+format, data); err != nil {
			return err
		}
	}
	if format == "html" {
		return writeIndex(out, items)
	}
	return nil
}

// markdownOf is a notebook as Markdown: code between fences.
func markdownOf(n *notebook.Notebook) []byte {
	var text []byte
	for _, c := range n.Cells {
		if len(text) > 0 {
			text = append(text, '\n')
		}
		if c.Type == "code" {
			text = fmt.Appendf(text, "```go\n%s\n```\n", c.Source)
			continue
		}
		text = append(text, ipynbLink.ReplaceAll([]byte(c.Source+"\n"), []byte("]($1.md)"))...)
	}
	return text
}
