package lessons

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/paragopher/paragopher/lessons/notebook"
)

// Title is the lesson's title in a language.
func (l *Lesson) Title(lang string) string {
	if t := l.translations[lang]; t != nil && t.title != "" {
		return t.title
	}
	return l.Meta.Title
}

func (l *Lesson) cellID(b Block) string { return l.Slug + "-" + b.ID }

// Notebook makes the lesson's notebook in a language. What is not translated stays
// English; Lint does not let that through.
func (l *Lesson) Notebook(lang string) *notebook.Notebook {
	n := &notebook.Notebook{
		Minor: 5,
		Metadata: map[string]any{
			"kernelspec":    map[string]any{"name": "paragopher", "display_name": "Go (Paragopher)", "language": "go"},
			"language_info": map[string]any{"name": "go", "file_extension": ".go", "mimetype": "text/x-go"},
			"paragopher":    map[string]any{"lesson": l.Name, "lang": lang, "title": l.Title(lang), "generated_by": "paragopher lessons build"},
		},
	}
	t := l.translations[lang]
	for _, b := range l.Blocks {
		c := &notebook.Cell{ID: l.cellID(b), Type: "markdown", Source: b.Text, Metadata: map[string]any{}}
		if b.Code {
			c.Type = "code"
		}
		if t != nil {
			if x, ok := t.texts[b.ID]; ok && b.Code {
				c.Source = translate(b.Text, x.parts)
			} else if ok {
				c.Source = x.text
			}
		}
		n.Cells = append(n.Cells, c)
	}
	return n
}

// WriteNotebooks writes all lessons in all languages to dir/LANG/NAME.ipynb. The
// same lessons give the same bytes.
func WriteNotebooks(dir string) error {
	ls, err := All()
	if err != nil {
		return err
	}
	for _, lang := range Languages {
		folder := filepath.Join(dir, lang)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("making the folder for notebooks: %w", err)
		}
		for _, l := range ls {
			if err := l.Notebook(lang).Write(filepath.Join(folder, l.Name+".ipynb")); err != nil {
				return err
			}
		}
	}
	return nil
}
