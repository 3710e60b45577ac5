// Package coach goes through the exercises with a learner: it checks answers,
// gives hints in stages, shows solutions when they are earned, and keeps the
// progress, which is the same in notebooks and in the terminal, and in all
// languages.
package coach

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/paragopher/paragopher/lessons/notebook"
)

// Progress is what is known about a learner, as it stands in the file.
type Progress struct {
	Language  string             `json:"language,omitempty"`
	Exercises map[string]Attempt `json:"exercises"`
}

// An Attempt is how far one exercise has come.
type Attempt struct {
	Tries   int        `json:"tries,omitempty"`
	Failure string     `json:"failure,omitempty"` // kind of the last, "" after success
	Hints   int        `json:"hints,omitempty"`   // shown for that kind
	Asked   int        `json:"asked,omitempty"`   // for the solution
	Done    *time.Time `json:"done,omitempty"`    // first success
}

// FileVariable is the environment variable that names another progress file.
const FileVariable = "PARAGOPHER_PROGRESS"

// DefaultFile is where progress is kept: below the user's configuration folder, or
// where PARAGOPHER_PROGRESS says.
func DefaultFile() (string, error) {
	if file := os.Getenv(FileVariable); file != "" {
		return file, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for your progress (%s can name a file): %w", FileVariable, err)
	}
	return filepath.Join(dir, "paragopher", "progress.json"), nil
}

// Load reads a progress file. A file that is not there is no progress yet. One that
// is damaged is kept aside under the name that aside gives, and progress begins
// anew.
func Load(file string) (p Progress, aside string, err error) {
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return p, "", fmt.Errorf("reading your progress: %w", err)
	default:
		if json.Unmarshal(data, &p) != nil {
			aside = file + ".damaged-" + time.Now().Format("20060102-150405")
			if err := os.Rename(file, aside); err != nil {
				return p, "", fmt.Errorf("your progress in %s is damaged and cannot be kept aside: %w", file, err)
			}
			p = Progress{}
		}
	}
	if p.Exercises == nil {
		p.Exercises = map[string]Attempt{}
	}
	return p, aside, nil
}

// Save writes the progress, whole or not at all.
func (p Progress) Save(file string) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("saving your progress: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("saving your progress: %w", err)
	}
	return notebook.WriteFile(file, append(data, '\n'))
}
