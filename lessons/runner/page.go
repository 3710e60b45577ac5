package runner

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"go/scanner"
	"go/token"
	"html"
	"html/template"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	htmlrenderer "github.com/yuin/goldmark/renderer/html"

	"github.com/paragopher/paragopher/lessons/notebook"
)

//go:embed page.css
var css string

// A page is a notebook made HTML that needs nothing else: no script, no font, no
// picture from elsewhere.
var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>
{{.CSS}}</style>
</head>
<body>
<main>
{{range .Cells}}{{.}}
{{end}}{{with .Nav}}<nav aria-label="{{.Label}}">
{{with .Before}}<a rel="prev" href="{{.Href}}">← {{.Title}}</a>
{{end}}<a href="../index.html">{{.Label}}</a>
{{with .After}}<a rel="next" href="{{.Href}}">{{.Title}} →</a>
{{end}}</nav>
{{end}}</main>
</body>
</html>
`))

// ipynbLink is the same link in Markdown.
var ipynbLink = regexp.MustCompile(`\]\((\d\d-[a-z0-9-]+)\.ipynb\)`)

// nav leads from a lesson's page to the others.
type nav struct {
	Label         string
	Before, After *link
}

type link struct{ Href, Title string }

// phrases are the page's own words.
var phrases = map[string]struct{ in, out, fails, index string }{
	"en": {"In", "Output", "This cell failed", "All lessons"},
	"ko": {"입력", "출력", "이 셀은 실패했습니다", "모든 단원"},
}

// write writes an item's notebook and page.
func write(out string, it item) error {
	file := filepath.Join(out, it.name)
	if err := it.n.Write(file + ".ipynb"); err != nil {
		return err
	}
	page, err := render(it)
	if err != nil {
		return fmt.Errorf("making the page of %s: %w", it.name, err)
	}
	return notebook.WriteFile(file+".html", page)
}

func render(it item) ([]byte, error) {
	if _, ok := phrases[it.lang]; !ok {
		it.lang = "en"
	}
	var cells []template.HTML
	for _, c := range it.n.Cells {
		text, err := cell(c, it.lang)
		if err != nil {
			return nil, err
		}
		cells = append(cells, template.HTML(text))
	}
	var buf bytes.Buffer
	err := pageTemplate.Execute(&buf, map[string]any{"Lang": it.lang, "Title": title(it), "CSS": template.CSS(css), "Cells": cells, "Nav": it.nav})
	return buf.Bytes(), err
}

// title is what the notebook calls itself: in its metadata, or its first heading.
func title(it item) string {
	if meta, ok := it.n.Metadata["paragopher"].(map[string]any); ok {
		if s, ok := meta["title"].(string); ok {
			return s
		}
	}
	for _, c := range it.n.Cells {
		if rest, ok := strings.CutPrefix(c.Source, "# "); ok && c.Type == "markdown" {
			line, _, _ := strings.Cut(rest, "\n")
			return line
		}
	}
	return it.name
}

var markdown = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
	// Notebooks hold HTML, as the folded answers of a quiz, and Jupyter shows it too.
	goldmark.WithRendererOptions(htmlrenderer.WithUnsafe()),
)

// lessonHref is a link to another notebook of the folder; its page is beside ours.
var lessonHref = regexp.MustCompile(`href="(\d\d-[a-z0-9-]+)\.ipynb"`)

func cell(c *notebook.Cell, lang string) (string, error) {
	switch c.Type {
	case "markdown":
		var buf bytes.Buffer
		if err := markdown.Convert([]byte(c.Source), &buf); err != nil {
			return "", fmt.Errorf("reading Markdown: %w", err)
		}
		return fmt.Sprintf("<section class=\"text\" id=\"%s\">\n%s</section>", html.EscapeString(c.ID), lessonHref.ReplaceAllString(buf.String(), `href="$1.html"`)), nil
	case "code":
	default:
		return "<pre class=\"raw\">" + html.EscapeString(c.Source) + "</pre>", nil
	}
	words := phrases[lang]
	var b strings.Builder
	count := ""
	if c.Count != nil {
		count = fmt.Sprintf(" [%d]", *c.Count)
	}
	fmt.Fprintf(&b, "<section class=\"code\" id=\"%s\">\n<pre class=\"source\" aria-label=\"%s%s\"><code>%s</code></pre>\n", html.EscapeString(c.ID), words.in, count, highlight(c.Source))
	if len(c.Outputs) > 0 {
		fmt.Fprintf(&b, "<div class=\"outputs\" role=\"group\" aria-label=\"%s%s\">\n", words.out, count)
		for _, o := range c.Outputs {
			b.WriteString(output(o, words.fails))
		}
		b.WriteString("</div>\n")
	}
	b.WriteString("</section>")
	return b.String(), nil
}

func output(o map[string]any, fails string) string {
	switch o["output_type"] {
	case "stream":
		name, _ := o["name"].(string)
		text, _ := o["text"].(string)
		return fmt.Sprintf("<pre class=\"stream %s\">%s</pre>\n", html.EscapeString(name), ansi(text))
	case "error":
		var lines []string
		trace, _ := o["traceback"].([]any)
		for _, line := range trace {
			lines = append(lines, fmt.Sprint(line))
		}
		if len(lines) == 0 {
			lines = []string{fmt.Sprintf("%v: %v", o["ename"], o["evalue"])}
		}
		return fmt.Sprintf("<pre class=\"error\" role=\"alert\" aria-label=\"%s\">%s</pre>\n", fails, ansi(strings.Join(lines, "\n")))
	}
	data, _ := o["data"].(map[string]any)
	return display(data)
}

// display shows the richest form that a page can.
func display(data map[string]any) string {
	get := func(mime string) string { s, _ := data[mime].(string); return s }
	alt := html.EscapeString(get("text/plain"))
	picture := func(mime, base64Data string) string {
		return fmt.Sprintf("<figure><img src=\"data:%s;base64,%s\" alt=\"%s\"></figure>\n", mime, html.EscapeString(strings.ReplaceAll(base64Data, "\n", "")), alt)
	}
	switch {
	case get("text/html") != "":
		return "<div class=\"html\">" + get("text/html") + "</div>\n"
	case get("image/svg+xml") != "":
		// As an image, a picture cannot touch the page, nor another picture's ids.
		return picture("image/svg+xml", base64.StdEncoding.EncodeToString([]byte(get("image/svg+xml"))))
	case get("image/png") != "":
		return picture("image/png", get("image/png"))
	case get("image/jpeg") != "":
		return picture("image/jpeg", get("image/jpeg"))
	case get("text/markdown") != "":
		var buf bytes.Buffer
		if err := markdown.Convert([]byte(get("text/markdown")), &buf); err == nil {
			return "<div class=\"text\">" + buf.String() + "</div>\n"
		}
	}
	if data["text/plain"] == nil {
		if text, err := json.MarshalIndent(data, "", " "); err == nil {
			return "<pre class=\"result\">" + html.EscapeString(string(text)) + "</pre>\n"
		}
	}
	return "<pre class=\"result\">" + ansi(get("text/plain")) + "</pre>\n"
}

// highlight colours Go, and leaves alone what is not Go.
func highlight(code string) string {
	var b strings.Builder
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(code))
	var s scanner.Scanner
	s.Init(file, []byte(code), func(token.Position, string) {}, scanner.ScanComments)
	at := 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			break
		}
		class := ""
		switch {
		case tok == token.COMMENT:
			class = "c"
		case tok == token.STRING || tok == token.CHAR:
			class = "s"
		case tok == token.INT || tok == token.FLOAT || tok == token.IMAG:
			class = "n"
		case tok.IsKeyword():
			class = "k"
		}
		start := file.Offset(pos)
		end := start + len(lit)
		if class == "" || start < at || end > len(code) {
			continue
		}
		fmt.Fprintf(&b, "%s<span class=\"%s\">%s</span>", html.EscapeString(code[at:start]), class, html.EscapeString(code[start:end]))
		at = end
	}
	b.WriteString(html.EscapeString(code[at:]))
	return b.String()
}

var escape = regexp.MustCompile("\x1b(?:\\[([0-9;]*)m|\\[[0-9;?]*[A-Za-ln-z]|_[^\x1b]*\x1b\\\\)")

// ansi makes a terminal's colours the page's, and drops its other escapes.
func ansi(text string) string {
	var b strings.Builder
	open := false
	at := 0
	for _, m := range escape.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(html.EscapeString(text[at:m[0]]))
		at = m[1]
		if m[2] < 0 {
			continue
		}
		if open {
			b.WriteString("</span>")
			open = false
		}
		var classes []string
		for _, n := range strings.Split(text[m[2]:m[3]], ";") {
			switch {
			case n == "1":
				classes = append(classes, "bold")
			case len(n) == 2 && (n[0] == '3' || n[0] == '9') && n[1] >= '0' && n[1] <= '7':
				classes = append(classes, "ansi"+n[1:])
			}
		}
		if len(classes) > 0 {
			fmt.Fprintf(&b, "<span class=\"%s\">", strings.Join(classes, " "))
			open = true
		}
	}
	b.WriteString(html.EscapeString(text[at:]))
	if open {
		b.WriteString("</span>")
	}
	return b.String()
}

var indexTemplate = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>
{{.CSS}}</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
<ul>
{{range .Pages}}<li lang="{{.Lang}}"><a href="{{.Href}}">{{.Title}}</a></li>
{{end}}</ul>
</main>
</body>
</html>
`))

// writeIndex writes a page that links the others.
func writeIndex(out string, items []item) error {
	type entry struct{ Lang, Href, Title string }
	var pages []entry
	for _, it := range items {
		pages = append(pages, entry{it.lang, filepath.ToSlash(it.name) + ".html", title(it)})
	}
	var buf bytes.Buffer
	if err := indexTemplate.Execute(&buf, map[string]any{"Lang": "en", "Title": phrases["en"].index, "CSS": template.CSS(css), "Pages": pages}); err != nil {
		return fmt.Errorf("making the index: %w", err)
	}
	return notebook.WriteFile(filepath.Join(out, "index.html"), buf.Bytes())
}
