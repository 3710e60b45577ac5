package runner

import (
	"github.com/paragopher/paragopher/kernel/client"
	"github.com/paragopher/paragopher/lessons/notebook"
)

// outputs gathers what a cell puts out into the form of notebook files, as
// Jupyter's own clients do: text of a stream in one piece, updates in the place
// of what they update, cleared when asked.
type outputs struct {
	cell     *notebook.Cell
	clear    bool           // before the next output
	displays map[string]int // by display_id: index of the output
}

func (o *outputs) add(out client.Output) {
	switch out.Type {
	case "clear_output":
		o.clear = out.Wait
		if !out.Wait {
			o.reset()
		}
		return
	case "update_display_data":
		if i, ok := o.displays[out.Display]; ok && out.Display != "" {
			o.cell.Outputs[i]["data"], o.cell.Outputs[i]["metadata"] = data(out.Data), data(out.Metadata)
		}
		return
	case "stream", "display_data", "execute_result", "error":
	default:
		return // not for the page
	}
	if o.clear {
		o.reset()
	}
	switch out.Type {
	case "stream":
		if n := len(o.cell.Outputs); n > 0 {
			last := o.cell.Outputs[n-1]
			if last["output_type"] == "stream" && last["name"] == out.Name {
				last["text"] = last["text"].(string) + out.Text
				return
			}
		}
		o.put(map[string]any{"output_type": "stream", "name": out.Name, "text": out.Text})
	case "display_data":
		if out.Display != "" {
			if o.displays == nil {
				o.displays = map[string]int{}
			}
			o.displays[out.Display] = len(o.cell.Outputs)
		}
		o.put(map[string]any{"output_type": "display_data", "data": data(out.Data), "metadata": data(out.Metadata)})
	case "execute_result":
		o.put(map[string]any{"output_type": "execute_result", "execution_count": out.Count, "data": data(out.Data), "metadata": data(out.Metadata)})
	case "error":
		trace := make([]any, len(out.Traceback))
		for i, line := range out.Traceback {
			trace[i] = line
		}
		o.put(map[string]any{"output_type": "error", "ename": out.EName, "evalue": out.EValue, "traceback": trace})
	}
}

func (o *outputs) put(out map[string]any) { o.cell.Outputs = append(o.cell.Outputs, out) }

func (o *outputs) reset() { o.cell.Outputs, o.displays, o.clear = nil, nil, false }

func data(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
