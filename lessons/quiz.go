package lessons

import (
	"fmt"
	"strings"
)

// A Question is a quiz: what is asked, what can be answered, and why what is right
// is right.
type Question struct {
	Question string
	Options  []Option
	Why      string
}

// An Option is one possible answer.
type Option struct {
	Text  string
	Right bool
}

// ParseQuiz reads a quiz block: the question, a task list of options, the reason.
func ParseQuiz(text string) (q Question) {
	for _, line := range strings.Split(text, "\n") {
		wrong, isWrong := strings.CutPrefix(line, "- [ ] ")
		right, isRight := strings.CutPrefix(line, "- [x] ")
		switch {
		case isRight:
			q.Options = append(q.Options, Option{right, true})
		case isWrong:
			q.Options = append(q.Options, Option{wrong, false})
		case len(q.Options) == 0:
			q.Question += line + "\n"
		case strings.HasPrefix(line, "  ") && q.Why == "":
			q.Options[len(q.Options)-1].Text += " " + strings.TrimSpace(line)
		default:
			q.Why += line + "\n"
		}
	}
	q.Question, q.Why = strings.TrimSpace(q.Question), strings.TrimSpace(q.Why)
	return q
}

// Rights is how many options are right.
func (q Question) Rights() (n int) {
	for _, o := range q.Options {
		if o.Right {
			n++
		}
	}
	return n
}

func (q Question) same(other Question) bool {
	if len(q.Options) != len(other.Options) || other.Why == "" || other.Question == "" {
		return false
	}
	for i := range q.Options {
		if q.Options[i].Right != other.Options[i].Right {
			return false
		}
	}
	return true
}

// Letter names option i.
func Letter(i int) string { return string(rune('A' + i)) }

// Answer is the right options' letters.
func (q Question) Answer() string {
	var letters []string
	for i, o := range q.Options {
		if o.Right {
			letters = append(letters, Letter(i))
		}
	}
	return strings.Join(letters, ", ")
}

// guess are the words around a quiz.
var guess = map[string][2]string{"en": {"Guess first", "Open for the answer"}, "ko": {"먼저 짐작해 보세요", "답 펼쳐 보기"}}

// Markdown is the quiz for a notebook: the answer is folded away.
func (q Question) Markdown(lang string) string {
	words := guess[lang]
	var b strings.Builder
	fmt.Fprintf(&b, "**%s.** %s\n\n", words[0], q.Question)
	for i, o := range q.Options {
		fmt.Fprintf(&b, "- **%s** %s\n", Letter(i), o.Text)
	}
	fmt.Fprintf(&b, "\n<details><summary>%s</summary>\n\n**%s.** %s\n\n</details>", words[1], q.Answer(), q.Why)
	return b.String()
}
