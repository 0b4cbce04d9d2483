package ui

import "strings"

// place is a set of the places where a key means something.
type place uint16

const (
	inLayers place = 1 << iota
	inDetail
	inFiles
	inWaste
	inViewer
	inHelp
	inImage
	inFilter
	inHistory
	inDiff
	inQuestion
	inWork

	inPanes    = inLayers | inDetail | inFiles | inWaste
	everywhere = ^place(0)
)

// binding is one row of the key table. The table drives the handling, the help,
// the hints at the bottom and docs/keys.md.
type binding struct {
	action string // what the config file calls it; "" keeps its keys
	keys   string // names with spaces between, the usual ones first
	places place
	group  string
	hint   string // a word for the bottom line; "" is not shown there
	help   string // "" for a key that another line explains
	run    func(*ui)
}

// bindings is the key table. Where two rows have the same key in the same
// place, the first one counts.
func bindings() []binding {
	scrolls := inViewer | inHelp | inImage | inFilter | inHistory | inDiff | inQuestion
	content := inPanes&^inLayers | inViewer
	return []binding{
		{"up", "up k", everywhere, "Move", "", "one row up", func(u *ui) { u.move(-1) }},
		{"down", "down j", everywhere, "Move", "", "one row down", func(u *ui) { u.move(1) }},
		{"page-up", "pgup", everywhere, "Move", "", "a page up", func(u *ui) { u.page(-2) }},
		{"page-down", "pgdn", everywhere, "Move", "", "a page down", func(u *ui) { u.page(2) }},
		{"half-up", "ctrl-u", everywhere, "Move", "", "half a page up", func(u *ui) { u.page(-1) }},
		{"half-down", "ctrl-d", everywhere, "Move", "", "half a page down", func(u *ui) { u.page(1) }},
		{"first", "home g", everywhere, "Move", "", "to the first row", func(u *ui) { u.end(false) }},
		{"last", "end G", everywhere, "Move", "", "to the last row", func(u *ui) { u.end(true) }},

		{"next-pane", "tab", inPanes, "Panes", "", "the next pane", func(u *ui) { u.setFocus(u.focus + 1) }},
		{"previous-pane", "shift-tab", inPanes, "Panes", "", "the previous pane", func(u *ui) { u.setFocus(u.focus - 1) }},
		{"layers", "1", inPanes, "Panes", "", "layers", func(u *ui) { u.setFocus(layersPane) }},
		{"details", "2", inPanes, "Panes", "", "details and history of what is selected", func(u *ui) { u.setFocus(detailPane) }},
		{"files", "3", inPanes, "Panes", "", "files, or waste", func(u *ui) { u.setFocus(filesPane) }},
		{"previous-layer", "[", inPanes, "Panes", "", "the previous layer, from any pane", func(u *ui) { u.selectLayer(u.files.layer - 1) }},
		{"next-layer", "]", inPanes, "Panes", "", "the next layer, from any pane", func(u *ui) { u.selectLayer(u.files.layer + 1) }},

		{"layer-files", "enter right l", inLayers, "Layers", "files", "to the layer's files", func(u *ui) { u.layerFiles() }},
		{"empty-steps", "e", inLayers, "Layers", "empty steps", "show or hide steps that made no layer", func(u *ui) { u.layers.toggleEmpty() }},
		{"go-to-layer", "enter", inDetail, "Layers", "go to the layer", "on a line of the details: to its layer", func(u *ui) { u.follow() }},
		{"back", "left h", inDetail, "Layers", "", "", func(u *ui) { u.setFocus(u.subject) }},

		{"open", "enter", inFiles, "Files", "open", "open a folder, view a file", func(u *ui) { u.enter() }},
		{"expand", "right l", inFiles, "Files", "", "open a folder, then step into it", func(u *ui) { u.open() }},
		{"collapse", "left h", inFiles, "Files", "", "close a folder, or go to the one above", func(u *ui) { u.close() }},
		{"fold", "space", inFiles, "Files", "", "open or close a folder", func(u *ui) { u.fold() }},
		{"open-all", "+ }", inFiles, "Files", "", "open all folders", func(u *ui) { u.foldAll(true) }},
		{"close-all", "- { ctrl-space", inFiles, "Files", "", "close all folders", func(u *ui) { u.foldAll(false) }},
		{"whole", "a", inPanes &^ inWaste, "Files", "all", "what this layer changed, or everything up to it", func(u *ui) { u.whole(!u.files.whole) }},
		{"compare", "m", inPanes &^ inWaste, "Files", "compare", "mark this layer, then select another: the files that differ between the two", func(u *ui) { u.mark() }},
		{"changes", "ctrl-l", inPanes, "Files", "", "what this layer changed", func(u *ui) { u.whole(false) }},
		{"everything", "ctrl-a", inPanes, "Files", "", "everything up to this layer", func(u *ui) { u.whole(true) }},
		{"sort", "s ctrl-o", inFiles, "Files", "sort", "sort by size, name, count of files; again reverses", func(u *ui) { u.files.nextOrder() }},
		{"filter", "f", inPanes &^ inWaste, "Files", "filter", "choose which kinds of change are shown", func(u *ui) { u.openFilter() }},
		{"history", "H", inDetail | inFiles | inWaste | inViewer, "Files", "history", "every layer that stored, changed or removed the path; enter goes to one", func(u *ui) { u.openHistory() }},
		{"history", "H", inHistory, "", "", "", func(u *ui) { u.escape() }},

		{"find", "/ ctrl-f", inPanes, "Search", "find", "find as you type: text, or ~ and a regular expression; tab looks in all layers", func(u *ui) { u.openSearch() }},
		{"find-next", "n", inPanes, "Search", "", "the next one found", func(u *ui) { u.again(true) }},
		{"find-previous", "N", inPanes, "Search", "", "the one before", func(u *ui) { u.again(false) }},
		{"only-found", "F", inPanes, "Search", "", "show only what was found", func(u *ui) { u.toggleOnly() }},

		{"waste", "w", inWaste, "", "files", "", func(u *ui) { u.toggleWaste() }},
		{"waste", "w", inPanes, "Waste", "waste", "waste in place of files, and back", func(u *ui) { u.toggleWaste() }},
		{"show-in-tree", "enter", inWaste, "Waste", "show in tree", "to the place in the tree, in the layer that hid it", func(u *ui) { u.enter() }},
		{"expand", "right l", inWaste, "Waste", "", "show what was in a folder", func(u *ui) { u.waste.setOpen(true) }},
		{"collapse", "left h", inWaste, "Waste", "", "hide it", func(u *ui) { u.waste.setOpen(false) }},
		{"fold", "space", inWaste, "Waste", "", "", func(u *ui) { u.fold() }},
		{"group", "b", inWaste, "Waste", "group", "add up by cause, folder, step that stored, step that hid; one by one", func(u *ui) { u.groupWaste() }},
		{"sort", "s", inWaste, "Waste", "sort", "sort by size, cause, layers, path; again reverses", func(u *ui) { u.sortWaste() }},

		{"view", "v", content &^ inViewer, "Content", "", "view a file: text or hex", func(u *ui) { u.view() }},
		{"diff", "d", content, "Content", "diff", "what differs from the version below, or between two layers that are compared", func(u *ui) { u.openDiff() }},
		{"pager", "o", content | inDiff, "Content", "", "open a file in $PAGER", func(u *ui) { u.openPager() }},
		{"extract", "x", content | inDiff, "Content", "extract", "extract a file or folder, as it is after the layer", func(u *ui) { u.openExtract() }},

		{"scroll-right", "right l", inViewer | inDiff, "Viewer", "", "to the right", func(u *ui) { u.pan(8) }},
		{"scroll-left", "left h", inViewer | inDiff, "Viewer", "", "to the left", func(u *ui) { u.pan(-8) }},
		{"page-down", "space", inViewer | inDiff, "Viewer", "", "a page down", func(u *ui) { u.page(2) }},
		{"find", "/ ctrl-f", inViewer, "Viewer", "find", "find in the file as you type: text, or ~ and a regular expression", func(u *ui) { u.openFind() }},
		{"find-next", "n", inViewer, "Viewer", "", "the next one found", func(u *ui) { u.againInFile(true) }},
		{"find-previous", "N", inViewer, "Viewer", "", "the one before", func(u *ui) { u.againInFile(false) }},
		{"text-or-hex", "t", inViewer, "Viewer", "text/hex", "as text or as hex", func(u *ui) { u.toggleHex() }},

		{"find-next", "n", inDiff, "", "next change", "", func(u *ui) { u.nextChange(true) }},
		{"find-previous", "N", inDiff, "", "", "", func(u *ui) { u.nextChange(false) }},
		{"diff", "d", inDiff, "", "", "", func(u *ui) { u.closeOver() }},

		{"", "enter", inQuestion, "", "choose", "", func(u *ui) { u.answer("") }},
		{"", "s", inQuestion, "", "", "", func(u *ui) { u.answer("s") }},
		{"", "o", inQuestion, "", "", "", func(u *ui) { u.answer("o") }},
		{"", "S", inQuestion, "", "", "", func(u *ui) { u.answer("S") }},
		{"", "O", inQuestion, "", "", "", func(u *ui) { u.answer("O") }},
		{"", "space enter", inFilter, "", "toggle", "", func(u *ui) { u.toggleFilter(-1) }},
		{"", "a", inFilter, "", "", "", func(u *ui) { u.toggleFilter(0) }},
		{"", "m", inFilter, "", "", "", func(u *ui) { u.toggleFilter(1) }},
		{"", "r", inFilter, "", "", "", func(u *ui) { u.toggleFilter(2) }},
		{"", "u", inFilter, "", "", "", func(u *ui) { u.toggleFilter(3) }},
		{"filter", "f", inFilter, "", "", "", func(u *ui) { u.escape() }},
		{"go-to-layer", "enter", inImage | inHistory, "", "go to the layer", "", func(u *ui) { u.follow() }},
		{"copy", "y", inImage | inHistory, "", "copy the line", "", func(u *ui) { u.copyPath() }},

		{"image", "i", inPanes, "Program", "image", "what the image says of itself, its history, warnings", func(u *ui) { u.openImage() }},
		{"copy", "y", everywhere &^ (inHelp | inFilter), "Program", "", "copy the path, the command, or the line of the details", func(u *ui) { u.copyPath() }},
		{"copy-more", "Y", inPanes | inViewer, "Program", "", "copy the layer's digest; in the viewer, the content", func(u *ui) { u.copyMore() }},
		{"help", "?", everywhere &^ inHelp, "Program", "keys", "every key", func(u *ui) { u.over = append(u.over, help(u.keys)) }},
		{"", "? q", inHelp, "", "", "", func(u *ui) { u.escape() }},
		{"quit", "q", scrolls &^ inHelp, "", "", "", func(u *ui) { u.closeOver() }},
		{"image", "i", inImage, "", "", "", func(u *ui) { u.escape() }},
		{"close", "esc", everywhere, "Program", "", "close the innermost thing", func(u *ui) { u.escape() }},
		{"quit", "q", inPanes, "Program", "quit", "quit; close what lies over the panes", func(u *ui) { u.do.quit() }},
		{"", "ctrl-c", everywhere, "Program", "", "quit", func(u *ui) { u.do.quit() }},
		{"", "ctrl-z", everywhere, "Program", "", "suspend", func(u *ui) { u.do.suspend() }},
	}
}

// has is whether the key is one of the binding's.
func (b *binding) has(key string) bool {
	for rest := b.keys; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, " ")
		if name == key {
			return true
		}
	}
	return false
}

// names are the keys as people read them.
func (b *binding) names() string { return strings.ReplaceAll(b.keys, " ", ", ") }

// first is the key that the hints name.
func (b *binding) first() string {
	name, _, _ := strings.Cut(b.keys, " ")
	return name
}

// keysMarkdown is docs/keys.md.
func keysMarkdown() string {
	var b strings.Builder
	b.WriteString("# Keys of the terminal UI\n\nMade from the key table in `ui/keys.go`; a test keeps it so. [config.md](config.md) tells how an action gets other keys.\n")
	group := ""
	table := bindings()
	for _, k := range chooserKeys() {
		table = append(table, k.binding)
	}
	for _, k := range table {
		if k.help == "" {
			continue
		}
		if k.group != group {
			group = k.group
			b.WriteString("\n## " + group + "\n\n| key | what it does | action |\n|---|---|---|\n")
		}
		var names []string
		for _, n := range strings.Fields(k.keys) {
			names = append(names, "`"+n+"`")
		}
		action := ""
		if k.action != "" {
			action = "`" + k.action + "`"
		}
		b.WriteString("| " + strings.Join(names, " ") + " | " + k.help + " | " + action + " |\n")
	}
	return b.String()
}
