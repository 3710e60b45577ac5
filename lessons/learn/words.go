package learn

// phrases are the runner's own words, by language.
var phrases = map[string]map[string]string{
	"en": {
		"title":    "Parallel processing, step by step",
		"about":    "You read a lesson, complete a small piece of Go code in a file, and have it\nchecked. Notebooks of the same lessons are in notebooks/; progress is shared.",
		"next":     "Next:",
		"answer":   "answer:",
		"all done": "All exercises are done. Well done!",
		"edit":     "Edit %s, and save. Then: paragopher learn check, or learn watch.",
		"printed":  "Your code printed:",
		"keys":     "Save the file to have it checked. Or type and press Enter: h hint, s solution, l list, q quit.",
		"language": "English it is. Your progress is unchanged.",
		"kept":     "Your answer is kept as %s.",
		"reset":    "Forgotten. Begin again with: paragopher learn next",
		"help": `What you can do:

  paragopher learn read             read the next lesson here
  paragopher learn next             what is to be done, and in which file
  paragopher learn watch            check whenever you save, then go on
  paragopher learn check            check once
  paragopher learn hint, solution   help; the solution when you are done or ask twice
  paragopher learn list             all exercises, and how far you are
  paragopher learn reset ID|all     begin again; your files are kept aside
  paragopher learn lang ko          한국어로

Names after a command choose another lesson or exercise: learn check cut.
In a clone, go run . learn does the same.`,
	},
	"ko": {
		"title":    "한 걸음씩 배우는 병렬 처리",
		"about":    "단원을 읽고, 파일에 있는 짧은 Go 코드를 완성하고, 확인을 받습니다. 같은 단원의 노트북은\nnotebooks/에 있고, 진행 상황은 함께 씁니다.",
		"next":     "다음:",
		"answer":   "답:",
		"all done": "모든 연습을 마쳤습니다. 수고하셨습니다!",
		"edit":     "%s 파일을 고치고 저장하세요. 그다음: paragopher learn check 또는 learn watch",
		"printed":  "코드의 출력:",
		"keys":     "파일을 저장하면 확인합니다. 글자를 쓰고 Enter를 눌러도 됩니다. h 힌트, s 풀이, l 목록, q 끝내기",
		"language": "이제부터 한국어로 안내합니다. 진행 상황은 그대로입니다.",
		"kept":     "작성한 답은 %s에 남겨 두었습니다.",
		"reset":    "지웠습니다. 다시 시작하려면: paragopher learn next",
		"help": `할 수 있는 일:

  paragopher learn read             다음 단원을 여기서 읽기
  paragopher learn next             무엇을 어느 파일에서 할지 보기
  paragopher learn watch            저장할 때마다 확인하고, 맞으면 다음으로
  paragopher learn check            한 번 확인하기
  paragopher learn hint, solution   도움말. 풀이는 맞힌 다음이나 두 번 요청하면 나옵니다
  paragopher learn list             모든 연습과 진행 상황
  paragopher learn reset ID|all     처음부터 다시. 파일은 남겨 둡니다
  paragopher learn lang en          in English

명령 뒤에 이름을 쓰면 다른 단원이나 연습을 고를 수 있습니다. 예: learn check cut
저장소를 복제했다면 go run . learn도 똑같습니다.`,
	},
}
