package lessons

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/paragopher/paragopher/lessons/notebook"
)

var stamp = regexp.MustCompile(`\{#([A-Za-z0-9-]+)((?: +[a-z]+(?:=[A-Za-z0-9,-]+)?)*)\}\s*$`)

// Sync writes into the translations below dir, a folder of sources, the hashes of
// what they now translate. Run it when the translations have been read against
// changed sources, not before.
func Sync(dir string) error {
	ls, errs := load(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, l := range ls {
		hashes := map[string]string{}
		for _, b := range l.Blocks {
			hashes[b.ID] = b.Hash()
		}
		for _, lang := range Languages[1:] {
			file := filepath.Join(dir, l.Name, "lesson."+lang+".md")
			data, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("stamping a translation: %w", err)
			}
			lines := strings.Split(string(data), "\n")
			for i, line := range lines {
				if m := stamp.FindStringSubmatchIndex(line); m != nil {
					if id := line[m[2]:m[3]]; hashes[id] != "" {
						lines[i] = line[:m[0]] + "{#" + id + " hash=" + hashes[id] + "}"
					}
				}
			}
			if err := notebook.WriteFile(file, []byte(strings.Join(lines, "\n"))); err != nil {
				return err
			}
		}
	}
	return nil
}

// New starts a lesson: a folder below dir, a folder of sources, with a source and
// its translations to be written over. name is like 01-process.
func New(dir, name string) error {
	m := folderName.FindStringSubmatch(name)
	if m == nil {
		return fmt.Errorf("a lesson's name is like 09-threads, not %q", name)
	}
	folder := filepath.Join(dir, name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return fmt.Errorf("starting a lesson: %w", err)
	}
	title := strings.ReplaceAll(m[1], "-", " ")
	source := fmt.Sprintf(`---
title: %q
minutes: 15
---

# %s {#title}

What this lesson is about, in three sentences.

`+"```go {#first}\nfmt.Println(\"to be seen\")\n```\n", title, title)
	hash := Block{Text: "# " + title + "\n\nWhat this lesson is about, in three sentences."}.Hash()
	for _, f := range []struct{ name, text string }{
		{"lesson.md", source},
		{"lesson.ko.md", fmt.Sprintf("---\ntitle: %q\n---\n\n# %s {#title hash=%s}\n\n번역할 곳입니다.\n", title, title, hash)},
	} {
		if err := notebook.WriteFile(filepath.Join(folder, f.name), []byte(f.text)); err != nil {
			return err
		}
	}
	return nil
}
