package ui

import (
	"slices"
	"strings"

	"fathom/analyzer/filetree"
	"fathom/ui/screen"
)

// place is a set of the panes and overlays in which a key has a meaning.
type place uint32

const (
	inLayers place = 1 << iota
	inDetail
	inFiles
	inWaste
	inFindings
	inPackages
	inDockerfile
	inViewer
	inHelp
	inImage
	inHistory
	inDiff
	inMenu
	inMap
	inWork
	inFixes

	inPanes      = inLayers | inDetail | inFiles | inWaste | inFindings | inPackages | inDockerfile
	inOtherLists = inWaste | inFindings | inPackages
	inLists      = inFiles | inOtherLists                                        // panes whose rows can be sorted
	inTree       = inPanes &^ (inWaste | inFindings | inPackages | inDockerfile) // panes that follow the choice of files
	everywhere   = ^place(0)
)

// need is something a key needs that not every screen has.
type need uint8

const (
	_              need = iota
	needSpan            // a pane that shows one layer, or everything up to it
	needTree            // files
	needContent         // what files hold
	needDockerfile      // the lines that made the layers
	needOne             // one image, not a comparison; see keysOfOne
	needTwo             // two images that are compared
	needBoth            // the files of two images that are compared
)

// binding is one row of the key table. The table drives the handling, the help,
// the hints at the bottom and docs/keys.md.
type binding struct {
	action string // its name in the config file; "" can't be remapped
	keys   string // key names, separated by spaces, the usual one first
	places place
	needs  need
	group  string
	hint   string // its label on the bottom line; "" keeps it off
	help   string // "" for a key that another row explains
	run    func(*ui)
}

// bindings is the key table. Where two rows have the same key in the same place,
// the first one that can be done counts.
func bindings() []binding {
	scrolls := inViewer | inHelp | inImage | inHistory | inDiff | inMenu | inMap | inFixes
	paths := inPanes&^(inLayers|inPackages|inDockerfile) | inViewer | inMap
	return slices.Concat([]binding{
		{"up", "up k", everywhere, 0, "Move", "", "one row up", func(u *ui) { u.move(func(p part) { p.Move(-1) }) }},
		{"down", "down j", everywhere, 0, "Move", "", "one row down", func(u *ui) { u.move(func(p part) { p.Move(1) }) }},
		{"page-up", "pgup u", everywhere &^ inMap, 0, "Move", "", "a page up", func(u *ui) { u.move(func(p part) { p.Page(-2) }) }},
		{"page-up", "pgup", inMap, 0, "", "", "", func(u *ui) { u.move(func(p part) { p.Page(-2) }) }},
		{"page-down", "pgdn", everywhere, 0, "Move", "", "a page down", func(u *ui) { u.move(func(p part) { p.Page(2) }) }},
		{"half-up", "ctrl-u", everywhere, 0, "Move", "", "half a page up", func(u *ui) { u.move(func(p part) { p.Page(-1) }) }},
		{"half-down", "ctrl-d", everywhere, 0, "Move", "", "half a page down", func(u *ui) { u.move(func(p part) { p.Page(1) }) }},
		{"first", "home g", everywhere, 0, "Move", "", "to the first row", func(u *ui) { u.move(func(p part) { p.End(false) }) }},
		{"last", "end G", everywhere, 0, "Move", "", "to the last row", func(u *ui) { u.move(func(p part) { p.End(true) }) }},

		{"next-pane", "tab", inPanes, 0, "Panes", "", "the next pane", func(u *ui) { u.setFocus(u.focus + 1) }},
		{"previous-pane", "shift-tab", inPanes, 0, "Panes", "", "the previous pane", func(u *ui) { u.setFocus(u.focus - 1) }},
		{"layers", "1", inPanes, 0, "Panes", "", "layers", func(u *ui) { u.setFocus(layersPane) }},
		{"details", "2", inPanes, 0, "Panes", "", "details and history of what is selected", func(u *ui) { u.setFocus(detailPane) }},
		{"files", "3", inPanes, 0, "Panes", "", "files", func(u *ui) { u.tabTo(0) }},
		{"zoom", "z", inPanes, 0, "Panes", "", "one pane fills the screen, and back", (*ui).zoom},
		{"narrower", "<", inPanes, 0, "Panes", "", "fewer columns for the panes on the left", func(u *ui) { u.resize(-2, 0) }},
		{"wider", ">", inPanes, 0, "Panes", "", "more columns for the panes on the left", func(u *ui) { u.resize(2, 0) }},
		{"lower", "(", inPanes, 0, "Panes", "", "fewer lines for the upper pane", func(u *ui) { u.resize(0, -1) }},
		{"higher", ")", inPanes, 0, "Panes", "", "more lines for the upper pane", func(u *ui) { u.resize(0, 1) }},
		{"previous-layer", "[", inPanes | inMap, needOne, "Panes", "", "the previous layer, from any pane", func(u *ui) { u.stepTo(u.sel.layer - 1) }},
		{"next-layer", "]", inPanes | inMap, needOne, "Panes", "", "the next layer, from any pane", func(u *ui) { u.stepTo(u.sel.layer + 1) }},
		{"previous-layer", "[", inPanes | inMap, needBoth, "Panes", "", comparing + "the old image as it is", func(u *ui) { u.stepTo(oldSide) }},
		{"next-layer", "]", inPanes | inMap, needBoth, "Panes", "", comparing + "what the new image changes", func(u *ui) { u.stepTo(newSide) }},

		{"jump-back", "backspace alt-left ,", inPanes, 0, "Panes", "", "back to where you were before the last jump: to a tab, a layer, a match, or a path", (*ui).jumpBack},
		{"jump-forward", "alt-right .", inPanes, 0, "Panes", "", "forward again", (*ui).jumpForward},
		{"palette", ": ctrl-p", inPanes | inViewer | inDiff | inImage | inHistory, 0, "Panes", "", "find what to do or where to go by name: every key, tab and layer", (*ui).openPalette},

		{"layer-files", "enter right l", inLayers, needTree, "Layers", "files", "go to the layer's files", (*ui).layerFiles},
		{"layer-files", "enter right l", inLayers, needSpan, "", "", "", (*ui).layerFiles},
		{"layer-files", "enter right l", inLayers, 0, "", "", "", func(u *ui) { u.setFocus(rightPane) }},
		{"layer-files", "enter right l", inLayers, needBoth, "Layers", "files", comparing + "go to the files", (*ui).layerFiles},
		{"empty-steps", "e", inLayers, needOne, "Layers", "empty steps", "show or hide steps without a layer", the((*layers).toggleEmpty)},
		{"go-to-layer", "enter", inDetail, 0, "Layers", "go to the layer", "on a line of the details: go to its layer, or to the path that it names", on((*detail).enter)},
		{"go-to-layer", "enter", inDetail, needTwo, "Layers", "go there", comparing + "on a line about a layer or of a history: go there", on((*detail).enter)},
		{"back", "left h", inDetail, 0, "Layers", "", "", func(u *ui) { u.setFocus(u.subject) }},

		{"open", "enter", inFiles, needTree, "Files", "open", "open a folder, view a file, follow a symbolic link", on((*files).enter)},
		{"expand", "right l", inFiles, needTree, "Files", "", "open a folder, then step into it", on(func(f *files) { f.out.Open() })},
		{"collapse", "left h", inFiles, needTree, "Files", "", "close a folder, or go to the one above", on(func(f *files) { f.out.Close() })},
		{"fold", "space", inFiles, needTree, "Files", "", "open or close a folder", on(func(f *files) { f.out.Toggle() })},
		{"open-all", "+ }", inFiles, needTree, "Files", "", "open all folders", on(func(f *files) { f.out.OpenAll(true) })},
		{"close-all", "- {", inFiles, needTree, "Files", "", "close all folders", on(func(f *files) { f.out.OpenAll(false) })},
		{"fold-all", "ctrl-space", inFiles, needTree, "Files", "", "close all folders, or open all if all are closed", on(func(f *files) { f.out.FoldAll() })},
		{"whole", "a", inTree | inMap, needSpan, "Files", "all", "what this layer changed, or everything up to it", func(u *ui) { u.whole(!u.sel.whole) }},
		{"compare", "m", inTree, needTree, "Files", "compare", "mark this layer; selecting another one compares the two", (*ui).mark},
		{"changes", "ctrl-l", inPanes, needSpan, "Files", "", "what this layer changed", func(u *ui) { u.whole(false) }},
		{"everything", "ctrl-a", inPanes, needSpan, "Files", "", "everything up to this layer", func(u *ui) { u.whole(true) }},
		{"whole", "a", inTree | inMap, needBoth, "Files", "all", comparing + "what differs, or everything in both", func(u *ui) { u.whole(!u.sel.whole) }},
		{"changes", "ctrl-l", inPanes, needBoth, "Files", "", comparing + "what differs", func(u *ui) { u.whole(false) }},
		{"everything", "ctrl-a", inPanes, needBoth, "Files", "", comparing + "everything in both", func(u *ui) { u.whole(true) }},
		{"filter", "f", inTree, needTree, "Files", "filter", "choose which kinds of change are shown", the((*files).openFilter)},
		{"show-added", "", inFiles, needTree, "Files", "", "show or hide added files", toggleMark(filetree.Added)},
		{"show-removed", "ctrl-r", inFiles, needTree, "Files", "", "show or hide removed files", toggleMark(filetree.Removed)},
		{"show-modified", "", inFiles, needTree, "Files", "", "show or hide modified files", toggleMark(filetree.Modified)},
		{"show-unchanged", "", inFiles, needTree, "Files", "", "show or hide unchanged files", toggleMark(filetree.Unchanged)},
		{"history", "H", inDetail | inFiles | inWaste | inFindings | inViewer | inMap, needTree, "Files", "history", "every layer that stored, changed or removed the path; enter goes to one", (*ui).openHistory},
		{"history", "H", inDetail | inFiles | inFindings | inViewer | inMap, needBoth, "Files", "history", comparing + "what the layers of each did to the path; enter goes to that image", (*ui).openHistory},
		{"history", "H", inHistory, 0, "", "", "", (*ui).escape},

		{"sort", "s ctrl-o", inFiles, needTree, "Sort", "sort", "the next order of the list; first, the present one reversed", (*ui).sortNext},
		{"sort-menu", "S", inLists, 0, "Sort", "", "choose what to sort by; the present order again reverses", (*ui).openSort},
		{"columns", "C", inLists, 0, "Sort", "", "choose the columns of the files, the waste or the packages", (*ui).openColumns},
		{"attributes", "ctrl-b", inFiles, needTree, "Sort", "", "show or hide the mode and the owner of the files", on((*files).attributes)},
	}, sortKeys(), []binding{
		{"map", "t", inPanes, needTree, "Map", "", "the folder under the cursor as areas; in other panes, all folders", (*ui).openMap},
		{"map", "t", inPanes, needSpan, "", "", "", (*ui).openMap},
		{"map", "t", inMap, 0, "", "", "", (*ui).closeOver},
		{"open", "enter", inMap, 0, "Map", "open", "go into a folder, view a file, show the rest as a map of its own", on((*treemap).enter)},
		{"map-up", "u backspace -", inMap, 0, "Map", "up", "go to the folder above", on((*treemap).up)},
		{"map-left", "left h", inMap, 0, "Map", "", "to the area at the left", on(func(m *treemap) { m.step(-1, 0) })},
		{"map-right", "right l", inMap, 0, "Map", "", "to the area at the right", on(func(m *treemap) { m.step(1, 0) })},

		{"find", "/ ctrl-f", inPanes, 0, "Search", "find", "search as you type: text, or ~ and a regular expression; tab searches all layers", (*ui).openSearch},
		{"find", "/ ctrl-f", inPanes, needTwo, "Search", "find", comparing + "search as you type: text, or ~ and a regular expression; tab searches both images", (*ui).openSearch},
		{"find-next", "n", inPanes, 0, "Search", "", "the next match", func(u *ui) { u.again(true) }},
		{"find-previous", "N", inPanes, 0, "Search", "", "the previous match", func(u *ui) { u.again(false) }},
		{"only-found", "F", inPanes, 0, "Search", "", "show only what matches, and add up only that", (*ui).toggleOnly},

		{"waste", "w", inPanes, needOne, "Waste", "waste", "waste instead of files, and back", tab[*waste]},
		{"show-in-tree", "enter", inWaste, needTree, "Waste", "show in tree", "show it in the tree, as of the layer that hid it", on((*waste).enter)},
		{"expand", "right l", inWaste, 0, "Waste", "", "open a group, a folder or a file with several versions, then step into it", on((*waste).stepIn)},
		{"collapse", "left h", inWaste, 0, "Waste", "", "close it, or go to the group above", on(func(w *waste) { w.setOpen(false) })},
		{"fold", "space", inWaste, 0, "Waste", "", "", on((*waste).fold)},
		{"group", "b", inWaste, 0, "Waste", "group", "group by cause, folder, step that stored it or step that hid it; or by path alone", on((*waste).regroupNext)},

		{"findings", "!", inPanes, 0, "Findings", "", "findings instead of files, and back: what to change in the image", tab[*findings]},
		{"findings", "!", inPanes, needTwo, "Findings", "", comparing + "findings that are new or fixed, and back", tab[*findings]},
		{"show-in-tree", "enter", inFindings, needTree, "Findings", "show in tree", "show the place in the tree, the largest one of a finding", on((*findings).enter)},
		{"show-in-tree", "enter", inFindings, 0, "", "", "", on((*findings).enter)},
		{"expand", "right l", inFindings, 0, "Findings", "", "show the places of a finding, then step into them", on((*findings).stepIn)},
		{"collapse", "left h", inFindings, 0, "Findings", "", "hide the places of a finding", on(func(f *findings) { f.setOpen(false) })},
		{"fold", "space", inFindings, 0, "Findings", "places", "show or hide the places of a finding", on((*findings).toggle)},
		{"copy", "y", inFindings, 0, "Findings", "copy the fix", "copy the lines of the fix, or the path of a place", func(u *ui) { u.copyText(u.on().copies()) }},

		{"packages", "p", inPanes, 0, "Packages", "", "packages instead of files, and back: what they take, and what belongs to none", tab[*packageList]},
		{"packages", "p", inPanes, needTwo, "Packages", "", comparing + "packages that differ, and back", tab[*packageChanges]},
		{"filter", "f", inPackages, needTwo, "Packages", "type", comparing + "show only the packages of one type, then the next one, then all", on((*packageChanges).nextType)},
		{"show-in-tree", "enter", inPackages, needTree, "Packages", "show in tree", "show the files of the package in the tree", on((*packageList).enter)},
		{"show-in-tree", "enter", inPackages, 0, "", "", "", on((*packageList).enter)},
		{"expand", "right l", inPackages, 0, "Packages", "", "show the folders of what belongs to no package, then step into them", on((*packageList).stepIn)},
		{"collapse", "left h", inPackages, 0, "Packages", "", "hide the folders of what belongs to no package", on(func(l *packageList) { l.setOpen(false) })},
		{"fold", "space", inPackages, 0, "Packages", "", "", on((*packageList).toggle)},
		{"filter", "f", inPackages, 0, "Packages", "type", "show only the packages of one type, then the next one, then all", on((*packageList).nextType)},
		{"sort", "s ctrl-o", inOtherLists, 0, "", "sort", "", (*ui).sortNext},

		{"fix", "c", inLayers | inFiles | inWaste | inFindings | inPackages, needOne, "What if", "", "mark the row as fixed, or remove the mark: a layer, a file or folder, waste, a finding or one of its places, a package; the title shows the figures without it", (*ui).fixRow},
		{"fix", "c", inFixes, needOne, "What if", "unmark", "in the list of marks: remove the mark", (*ui).unfix},
		{"what-if", "W", inPanes, needOne, "What if", "", "what is marked as fixed, what each mark saves, and the figures and the verdict of the gate without it", (*ui).openFixes},
		{"what-if", "W", inFixes, needOne, "", "", "", (*ui).escape},
		{"show-in-tree", "enter", inFixes, needOne, "What if", "go there", "in the list of marks: go to what is marked", on((*text).enter)},
		{"copy", "y", inFixes, needOne, "What if", "copy as tasks", "in the list of marks: copy them as a list of tasks in Markdown, with the lines of the fixes", (*ui).copyTasks},
		{"clear-fixes", "X", inFixes, needOne, "What if", "clear", "in the list of marks: remove all marks", func(u *ui) { u.fixes.clear() }},

		{"dockerfile", "D", inPanes | inHistory, needDockerfile, "Dockerfile", "", "the line of the Dockerfile that made what is selected, and back to the files", (*ui).toDockerfile},
		{"go-to-layer", "enter", inDockerfile, 0, "Dockerfile", "go to the layer", "go to the layer that the instruction made", on((*dockerfile).enter)},

		{"view", "v", paths &^ inViewer, needContent, "Content", "", "view a file: text or hex", (*ui).view},
		{"diff", "d", paths, needContent, "Content", "diff", "differences from the version below, or between the two layers compared", (*ui).openDiff},
		{"pager", "o", paths | inDiff, needContent, "Content", "", "open a file in $PAGER", (*ui).openPager},
		{"extract", "x ctrl-e", paths | inDiff, needContent, "Content", "extract", "extract a file or folder, as it is after the layer", (*ui).openExtract},
		{"diff", "d", paths &^ inWaste, needBoth, "Content", "diff", comparing + "differences of the new image from the old one", (*ui).openDiff},
		{"extract", "x ctrl-e", paths&^inWaste | inDiff, needBoth, "Content", "extract", comparing + "extract a file or folder of the image that is shown", (*ui).openExtract},

		{"scroll-right", "right l", inViewer | inDiff, 0, "Viewer", "", "to the right", func(u *ui) { u.pan(8) }},
		{"scroll-left", "left h", inViewer | inDiff, 0, "Viewer", "", "to the left", func(u *ui) { u.pan(-8) }},
		{"page-down", "space", inViewer | inDiff, 0, "Viewer", "", "a page down", func(u *ui) { u.move(func(p part) { p.Page(2) }) }},
		{"find", "/ ctrl-f", inViewer, 0, "Viewer", "find", "search the file as you type: text, or ~ and a regular expression", on((*content).find)},
		{"find-next", "n", inViewer, 0, "Viewer", "", "the next match", on(func(c *content) { c.next(true) })},
		{"find-previous", "N", inViewer, 0, "Viewer", "", "the previous match", on(func(c *content) { c.next(false) })},
		{"text-or-hex", "t", inViewer, 0, "Viewer", "text/hex", "as text or as hex", on(func(c *content) { c.Toggle() })},

		{"wrap", "w", inViewer, 0, "Viewer", "wrap", "wrap long lines, or cut them at the edge", on((*content).wrap)},
		{"older-version", "[", inViewer, needOne, "Viewer", "versions", "the previous version of the file, at the same lines", on(func(c *content) { c.step(false) })},
		{"newer-version", "]", inViewer, needOne, "Viewer", "", "the next version of the file", on(func(c *content) { c.step(true) })},
		{"older-version", "[", inViewer, needBoth, "Viewer", "old image", comparing + "the file of the old image, at the same lines", on(func(c *content) { c.side(oldSide) })},
		{"newer-version", "]", inViewer, needBoth, "Viewer", "new image", comparing + "the file of the new image", on(func(c *content) { c.side(newSide) })},
		{"older-version", "[", inDiff, 0, "Viewer", "versions", "in a difference: from the version before the old one to the old one", on(func(d *difference) { d.step(false) })},
		{"newer-version", "]", inDiff, 0, "Viewer", "", "in a difference: from the new version to the one after it", on(func(d *difference) { d.step(true) })},

		{"side-by-side", "s", inDiff, 0, "Viewer", "sides", "in a difference: the two versions beside each other, or in one column", on((*difference).beside)},

		{"find-next", "n", inDiff, 0, "", "next change", "", on(func(d *difference) { d.Next(true) })},
		{"find-previous", "N", inDiff, 0, "", "", "", on(func(d *difference) { d.Next(false) })},
		{"diff", "d", inDiff, 0, "", "", "", (*ui).closeOver},

		{"", "enter space", inMenu, 0, "", "choose", "", (*ui).chosen},
		{"go-to-layer", "enter", inImage | inHistory, 0, "", "go to the layer", "", on((*text).enter)},
		{"go-to-layer", "enter", inHistory, needTwo, "", "go to the image", "", on((*text).enter)},
		{"copy", "y", inImage | inHistory, 0, "", "copy the line", "", func(u *ui) { u.copyText(u.on().copies()) }},

		{"image", "i", inPanes, 0, "Program", "image", "metadata of the image, its history and warnings", (*ui).openImage},
		{"image", "i", inPanes, needTwo, "Program", "figures", comparing + "their figures, and the settings that differ", (*ui).openComparison},
		{"copy", "y", everywhere &^ (inHelp | inMenu), 0, "Program", "", "copy the path, the command, or the line of the details", func(u *ui) { u.copyText(u.on().copies()) }},
		{"copy-more", "Y", inViewer, 0, "", "", "", on((*content).copy)},
		{"copy-more", "Y", inPanes, 0, "Program", "", "choose what to copy: path, step, digest, command, rule for the gate; in the viewer, copy the content", (*ui).openCopy},
		{"export", "E", inPanes, 0, "Program", "", "write a report, or the list as CSV or JSON, to a file", (*ui).openExport},
		{"help", "?", everywhere &^ inHelp, 0, "Program", "keys", "every key", func(u *ui) { u.push(help(slices.Concat(u.keys, typingKeys()), u.two != nil)) }},
		{"", "?", inHelp, 0, "", "", "", (*ui).escape},
		{"", "q", inHelp, 0, "", "", "", (*ui).closeByQ},
		{"quit", "q", scrolls &^ inHelp, 0, "", "", "", (*ui).closeByQ},
		{"image", "i", inImage, 0, "", "", "", (*ui).escape},
		{"close", "esc", everywhere, 0, "Program", "", "close the innermost thing", (*ui).escape},
		{"quit", "q", inPanes, 0, "Program", "quit", "quit, or go back to the list that the image was chosen from; or close what is open over the panes", (*ui).leaveImage},
		{"", "ctrl-c", everywhere, 0, "Program", "", "quit", func(u *ui) { u.do.quit() }},
		{"", "ctrl-z", everywhere, 0, "Program", "", "suspend", func(u *ui) { u.do.suspend() }},
	})
}

// typingKeys is the key table of the line that asks for a text; screen.Prompt and
// searchKey handle the keys.
func typingKeys() []binding {
	const group = "Typing a text"
	rows := []binding{
		{keys: "enter", group: group, help: "take the text, and keep what it found"},
		{keys: "esc", group: group, help: "give up, and go back to where the search began"},
		{keys: "up down", group: group, help: "in a search the match before, or the next one; with an empty text an earlier text"},
		{keys: "ctrl-p ctrl-n", group: group, help: "an earlier text, or a later one"},
		{keys: "tab", group: group, help: "search only what is shown, or all layers: n goes through the rows that are shown, then layer by layer"},
		{keys: "ctrl-f", group: group, help: "in a search: show only what matches, or everything again"},
	}
	for _, k := range screen.InputKeys() {
		rows = append(rows, binding{keys: k.Keys, group: group, help: k.Help})
	}
	return rows
}

// keysOfChosen returns a key table in which the key that quits goes back to the list that
// the image was chosen from.
func keysOfChosen(table []binding) []binding {
	table = slices.Clone(table)
	for i := range table {
		if b := &table[i]; b.action == "quit" && b.hint != "" {
			b.hint, b.help = "back", "back to the list of images; or close what is open over the panes"
		}
	}
	return table
}

// comparing starts the help of rows for two images, where the rows of all screens are
// listed.
const comparing = "comparing images: "

// keysOfOne returns the rows of a key table for the screens of one image.
func keysOfOne(table []binding) []binding {
	return slices.DeleteFunc(slices.Clone(table), func(b binding) bool { return b.ofTwo() })
}

// keysOfTwo returns the rows of a key table for a comparison: without those that need
// one image, and without those of actions that a row for two images replaces.
func keysOfTwo(table []binding) []binding {
	type row struct {
		action string
		at     place
	}
	const gone = inWaste | inDockerfile
	replaced := map[row]bool{}
	for _, b := range table {
		if b.ofTwo() {
			replaced[row{b.action, b.places &^ gone}] = true
		}
	}
	rows, said := slices.Clone(table), []binding{}
	for i := range rows {
		rows[i].help = strings.TrimPrefix(rows[i].help, comparing)
		if b := rows[i]; (b.needs == needOne || b.needs == needDockerfile || b.action == "compare") && !replaced[row{b.action, b.places &^ gone}] {
			b.needs, b.hint, b.help = needOne, "", ""
			said = append(said, b) // the keys say that they need one image
		}
	}
	rows = slices.DeleteFunc(rows, func(b binding) bool {
		switch {
		case b.ofTwo():
			return false
		case b.needs == needOne, b.needs == needDockerfile, b.action == "go-to-layer", b.places&^gone == 0, b.places == inPackages, b.action == "compare":
			return true
		}
		return replaced[row{b.action, b.places &^ gone}]
	})
	return append(rows, said...)
}

// ofTwo reports whether the row is for a comparison only.
func (b *binding) ofTwo() bool { return b.needs == needTwo || b.needs == needBoth }

// has reports whether the key is one of the binding's.
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

// names are the key names shown in the help.
func (b *binding) names() string { return strings.ReplaceAll(b.keys, " ", ", ") }

// first returns the key that the hints name.
func (b *binding) first() string {
	name, _, _ := strings.Cut(b.keys, " ")
	return name
}

// keysMarkdown returns the text of docs/keys.md.
func keysMarkdown() string {
	var b strings.Builder
	b.WriteString("# Keys of the terminal UI\n\nGenerated from the key table in `ui/keys.go` by a test. [config.md](config.md) explains how to remap an action.\n")
	group := ""
	table := bindings()
	table = append(table, typingKeys()...)
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
