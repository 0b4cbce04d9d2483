package ui

import "fathom/ui/screen"

// openFind asks what to look for in the file.
func (u *ui) openFind() {
	v, ok := u.top().(*viewer)
	if !ok || v.busy {
		return
	}
	old, top, left := v.find.text, v.top, v.left
	v.find.from = v.top
	u.look(v, "")
	u.prompt = &screen.Prompt{
		Label: "/",
		Note: func() (note, more string, alarm bool) {
			f := &v.find
			if f.text == "" {
				return "text, or ~ and a regular expression", "", false
			}
			return f.status(), "", f.bad != "" || f.done && len(f.hits) == 0
		},
		Changed: func(text string) {
			v.top, v.left = top, left
			u.look(v, text)
		},
		Done: func(_, key string) {
			if key != "enter" {
				v.top, v.left = top, left
				u.look(v, old)
				v.find.moved = true
			}
		},
	}
}

// again in the viewer goes to the next hit or the one before.
func (u *ui) againInFile(forward bool) {
	v, ok := u.top().(*viewer)
	switch {
	case !ok || v.busy:
	case v.find.text == "":
		u.note = "look for something first (/)"
	case len(v.find.hits) == 0:
		u.note = v.find.status() + ": " + safe(v.find.text)
	default:
		v.nextHit(forward)
	}
}
