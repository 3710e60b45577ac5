package wire

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestHeaderKeepsUnknownFields(t *testing.T) {
	in := `{"msg_id":"1","msg_type":"t","subshell_id":"s","session":"x","username":"u","date":"d","version":"5.5"}`
	var h Header
	if err := json.Unmarshal([]byte(in), &h); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(h)
	if err != nil || string(out) != in {
		t.Errorf("%s %v", out, err)
	}
	if out, _ := json.Marshal(Header{}); string(out) != "{}" {
		t.Errorf("no header is written %s", out)
	}
	if err := json.Unmarshal([]byte("{}"), &h); err != nil || !h.IsZero() {
		t.Errorf("{} is read as %+v %v", h, err)
	}
}

func TestConnectionFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kernel-1.json")
	c, err := NewConnection("tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := c.Write(file); err == nil {
		t.Error("an existing file was overwritten")
	}
	got, err := ReadConnection(file)
	if err != nil || got != c {
		t.Errorf("%+v %v, want %+v", got, err, c)
	}
	for name, bad := range map[string]string{
		"not JSON":   "hello",
		"no ports":   `{"transport":"tcp","ip":"127.0.0.1"}`,
		"transport":  `{"transport":"udp","shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5}`,
		"wrong type": `{"shell_port":"1"}`,
		"scheme":     `{"transport":"tcp","shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5,"key":"k","signature_scheme":"hmac-md5"}`,
	} {
		p := filepath.Join(dir, "bad.json")
		os.WriteFile(p, []byte(bad), 0o600)
		if _, err := ReadConnection(p); err == nil || !strings.Contains(err.Error(), p) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with the path", name, err)
		}
	}
	if _, err := ReadConnection(file + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := NewConnection("udp", ""); err == nil {
		t.Error("udp was accepted")
	}
}
