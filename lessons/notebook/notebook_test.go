package notebook

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const small = `{"cells": [
 {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "text"], "id": "a"},
 {"cell_type": "code", "execution_count": 3, "id": "b", "metadata": {"tags": ["raises-exception"], "own": {"x": 1.50}},
  "outputs": [{"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
   {"output_type": "display_data", "data": {"text/plain": ["x"], "application/json": {"a": [1]}, "image/png": "iVBO"}, "metadata": {}}], "source": "f()"}
], "metadata": {"kernelspec": {"name": "gophernotes", "language": "go"}, "future": true}, "nbformat": 4, "nbformat_minor": 5, "later": [1]}`

func TestReadAndWrite(t *testing.T) {
	n, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if name, language := n.Kernel(); name != "gophernotes" || language != "go" {
		t.Errorf("kernel %q, language %q", name, language)
	}
	if len(n.Cells) != 2 || n.Cells[0].Source != "# Title\ntext" || *n.Cells[1].Count != 3 || !n.Cells[1].Tagged("raises-exception") || n.Cells[1].Outputs[0]["text"] != "a\nb" {
		t.Errorf("read %+v", n.Cells)
	}
	file := filepath.Join(t.TempDir(), "n.ipynb")
	if err := n.Write(file); err != nil {
		t.Fatal(err)
	}
	again, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := os.ReadFile(file)
	second, _ := again.Bytes()
	if !bytes.Equal(first, second) {
		t.Errorf("writing what was read changes it:\n%s\n%s", first, second)
	}
	for _, want := range []string{`"later": [`, `"future": true`, `"x": 1.50`, "\"# Title\\n\",\n    \"text\""} {
		if !strings.Contains(string(first), want) {
			t.Errorf("the file lacks %s:\n%s", want, first)
		}
	}
}

func TestBadFiles(t *testing.T) {
	for data, want := range map[string]string{
		"":                                "it is empty",
		"hello":                           "it is not JSON (line 1, column 1: ",
		"{\n \"cells\": [,]}":             "it is not JSON (line 2, column 12: ",
		`{"cells": [`:                     "it is not JSON",
		`[1]`:                             "it holds a array, not an object",
		`null`:                            "it holds null",
		`{}`:                              "it has no nbformat number",
		`{"nbformat": 3, "worksheets":1}`: "it is of nbformat 3",
		`{"nbformat": 4}`:                 "it has no list of cells",
		`{"nbformat": 4, "cells": [3]}`:   "cell 1: it is not an object",
		`{"nbformat": 4, "cells": [{"cell_type": "code"}]}`:                                  "cell 1: its source is neither text nor a list of lines",
		`{"nbformat": 4, "cells": [{"cell_type": "code", "source": "", "outputs": [null]}]}`: "cell 1: output 1 is not an object",
		`{"nbformat": 4, "cells": []} x`:                                                     "there is more after its end",
	} {
		_, err := Parse([]byte(data))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", data, err, want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.ipynb")); err == nil || !strings.Contains(err.Error(), "none.ipynb") {
		t.Errorf("a missing file: %v", err)
	}
	if err := (&Notebook{}).Write(filepath.Join(t.TempDir(), "no", "n.ipynb")); err == nil {
		t.Error("writing into a folder that is not there succeeds")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"nbformat":4,"nbformat_minor":2,"metadata":{},"cells":[{"cell_type":"raw","source":[]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Parse(data)
		if err != nil {
			return
		}
		out, err := n.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(out); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}
