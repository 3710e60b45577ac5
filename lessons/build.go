package lessons

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
	fileOf := names()
	n := &notebook.Notebook{
		Minor: 5,
		Metadata: map[string]any{
			"kernelspec":    map[string]any{"name": "paragopher", "display_name": "Go (Paragopher)", "language": "go"},
			"language_info": map[string]any{"name": "go", "file_extension": ".go", "mimetype": "text/x-go"},
			"paragopher":    map[string]any{"lesson": l.Name, "lang": lang, "title": l.Title(lang), "generated_by": "paragopher lessons build"},
		},
	}
	for _, b := range l.Blocks {
		if !b.Shown() {
			continue
		}
		text := l.Text(b, lang)
		c := &notebook.Cell{ID: l.cellID(b), Type: "markdown", Source: text, Metadata: map[string]any{}}
		if b.Code {
			c.Type = "code"
		} else {
			if b.Role == Quiz {
				c.Source = ParseQuiz(text).Markdown(lang)
			}
			c.Source = lessonLink.ReplaceAllStringFunc(c.Source, func(link string) string {
				return "](" + fileOf[lessonLink.FindStringSubmatch(link)[1]] + ".ipynb)"
			})
		}
		n.Cells = append(n.Cells, c)
		if b.Role == Task {
			c.Source = Marker(b.ID) + "\n" + text
			c.Metadata["tags"] = []any{"exercise"}
			n.Cells = append(n.Cells, &notebook.Cell{ID: c.ID + "-check", Type: "code", Source: checkCall(b.ID, lang), Metadata: map[string]any{"tags": []any{"check"}}})
		}
	}
	return n
}

// checkCall is the cell that checks an exercise.
func checkCall(id, lang string) string {
	if lang == Languages[0] {
		return fmt.Sprintf("check(%q)", id)
	}
	return fmt.Sprintf("check(%q, %q)", id, lang)
}

// names gives the lessons' names by their slugs.
func names() map[string]string {
	m := map[string]string{}
	entries, _ := fs.ReadDir(content, "content") // embedded: it is there
	for _, e := range entries {
		if f := folderName.FindStringSubmatch(e.Name()); f != nil {
			m[f[1]] = e.Name()
		}
	}
	return m
}

// Solved gives the notebook with the solutions in place of the exercises.
func (l *Lesson) Solved(lang string) *notebook.Notebook {
	n := l.Notebook(lang)
	for _, e := range l.Exercises() {
		for _, c := range n.Cells {
			if c.ID == l.cellID(e.task) {
				c.Source = e.Solution(lang)
			}
		}
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
		if err := removeOthers(folder, ls); err != nil {
			return err
		}
		for _, l := range ls {
			if err := l.Notebook(lang).Write(filepath.Join(folder, l.Name+".ipynb")); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeOthers removes the notebooks of lessons that are no more.
func removeOthers(folder string, ls []*Lesson) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.ipynb"))
	if err != nil {
		return fmt.Errorf("looking for notebooks of old lessons: %w", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".ipynb")
		if !slices.ContainsFunc(ls, func(l *Lesson) bool { return l.Name == name }) && folderName.MatchString(name) {
			if err := os.Remove(file); err != nil {
				return fmt.Errorf("removing the notebook of a lesson that is no more: %w", err)
			}
		}
	}
	return nil
}
