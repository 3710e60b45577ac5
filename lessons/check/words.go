package check

import (
	"fmt"
	"strings"

	"github.com/paragopher/paragopher/lessons"
)

// Passed are the words for a right answer, by language.
var passed = map[string]string{"en": "Right. Everything that was checked holds.", "ko": "맞았습니다. 확인한 것이 모두 들어맞습니다."}

// catalogue says what is wrong where the lesson has no words of its own. {1} and
// so on are what the check found.
var catalogue = map[string]map[string]string{
	"en": {
		Compile:   "This does not compile, so nothing could be checked yet.\n\n{1}",
		Shape:     "The check could not call your code. The names, parameters and results of the cell must stay as they are.\n\n{1}",
		Panic:     "Your code panicked: {1}",
		Died:      "Your code ended the process it ran in: {1}",
		Endless:   "Your code had not ended after half a minute and was stopped. Is there a loop without an end, or does it wait for something that never comes?",
		Flood:     "Your code printed more than a quarter of a megabyte and was stopped.",
		Broken:    "The check itself could not run, which is not your fault: {1}",
		"nothing": "Your code did not do the work: the function it should start was never called.",
		"own":     "The work was done, but by the notebook's own process. No other process did anything.",
		"serial":  "The processes never worked at the same time: one began only after another had ended.",
		"early":   "Your function came back while a process was still at work.",
		"late":    "Your function came back only after the work was done. It was not to wait.",
		"race":    "Alone your code counts right. While another process works on the same value, updates get lost.",
		"wrong":   "The result is not right for {1}: your code gave {2}.",
	},
	"ko": {
		Compile:   "컴파일되지 않아서 아직 아무것도 확인하지 못했습니다.\n\n{1}",
		Shape:     "작성한 코드를 호출할 수 없습니다. 셀에 있는 이름과 매개변수, 결과의 타입은 그대로 두어야 합니다.\n\n{1}",
		Panic:     "코드에서 패닉이 일어났습니다: {1}",
		Died:      "코드가 자기를 실행하던 프로세스를 끝내 버렸습니다: {1}",
		Endless:   "30초가 지나도 끝나지 않아서 멈추었습니다. 끝나지 않는 반복이 있거나, 오지 않을 무언가를 기다리고 있지 않나요?",
		Flood:     "출력이 256킬로바이트를 넘어서 멈추었습니다.",
		Broken:    "확인하는 과정 자체가 실행되지 못했습니다. 여러분의 잘못이 아닙니다: {1}",
		"nothing": "아직 일을 하지 않았습니다. 시작해야 할 함수가 한 번도 호출되지 않았습니다.",
		"own":     "일은 했지만 노트북의 프로세스가 직접 했습니다. 다른 프로세스는 아무 일도 하지 않았습니다.",
		"serial":  "프로세스들이 동시에 일한 적이 없습니다. 하나가 끝난 뒤에야 다음 것이 시작되었습니다.",
		"early":   "아직 일하고 있는 프로세스가 있는데 함수가 돌아왔습니다.",
		"late":    "일이 다 끝난 뒤에야 함수가 돌아왔습니다. 기다리지 않아야 합니다.",
		"race":    "혼자 실행하면 맞게 셉니다. 그런데 다른 프로세스가 같은 값을 함께 쓰면 갱신을 잃어버립니다.",
		"wrong":   "{1}일 때 결과가 맞지 않습니다. 코드의 결과는 {2}였습니다.",
	},
}

// words puts a failure into the learner's language; "" is the kind of success.
func words(e *lessons.Exercise, kind, lang string, args []string) string {
	if _, ok := catalogue[lang]; !ok {
		lang = lessons.Languages[0]
	}
	if kind == "" {
		return passed[lang]
	}
	text := e.Says(kind, lang)
	if text == "" {
		text = catalogue[lang][kind]
	}
	if text == "" {
		text = kind + ": " + strings.Join(args, ", ")
	}
	for i, a := range args {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i+1), a)
	}
	return text
}
