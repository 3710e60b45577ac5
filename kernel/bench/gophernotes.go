package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The version of gophernotes that the module proxy has, v0.7.5, panics before
// it listens: since gomacro checks such things, the proxy of one interface in
// its x_package.go has the wrong result type (mended in its repository after
// that release), and gomacro before that does not run with today's Go. So it is
// built from a copy in which that type is mended, and nothing else.
const (
	proxyFile  = "x_package.go"
	proxyField = "JSON_  func(interface{}) string"
	proxyFunc  = "func (P *proxy_JSONer) JSON() string"
	wrongType  = "string"
	rightType  = "map[string]interface{}"
)

// buildGophernotes builds the gophernotes of go.mod into dir.
func buildGophernotes(ctx context.Context, dir string) (exe string, err error) {
	const module = "github.com/gopherdata/gophernotes"
	// go list alone does not fetch it.
	if _, err := goTool(ctx, "mod", "download", module); err != nil {
		return "", err
	}
	source, err := goTool(ctx, "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return "", err
	}
	goMod, err := goTool(ctx, "env", "GOMOD")
	if err != nil {
		return "", err
	}
	clone := filepath.Join(dir, "gophernotes-source")
	if err := os.CopyFS(clone, os.DirFS(source)); err != nil {
		return "", fmt.Errorf("copy gophernotes: %w", err)
	}
	file := filepath.Join(clone, proxyFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("mend gophernotes: %w", err)
	}
	for _, line := range []string{proxyField, proxyFunc} {
		text = bytes.Replace(text, []byte(line), []byte(strings.TrimSuffix(line, wrongType)+rightType), 1)
	}
	// Removed first: the copy has the permissions of the module cache.
	if err := os.Remove(file); err != nil {
		return "", fmt.Errorf("mend gophernotes: %w", err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return "", fmt.Errorf("mend gophernotes: %w", err)
	}
	// The module's own go.mod, with the copy in place of the download.
	mod, err := os.ReadFile(goMod)
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile(strings.TrimSuffix(goMod, ".mod") + ".sum")
	if err != nil {
		return "", err
	}
	mod = fmt.Appendf(mod, "\nreplace %s => %s\n", module, clone)
	if err := os.WriteFile(filepath.Join(dir, "bench.mod"), mod, 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.sum"), sum, 0o600); err != nil {
		return "", err
	}
	exe = filepath.Join(dir, "gophernotes")
	_, err = goTool(ctx, "build", "-modfile", filepath.Join(dir, "bench.mod"), "-o", exe, module)
	return exe, err
}

// goTool runs the go command and gives its output.
func goTool(ctx context.Context, args ...string) (string, error) {
	var out, problem bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(problem.Bytes()))
	}
	return strings.TrimSpace(out.String()), nil
}
