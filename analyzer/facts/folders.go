package facts

import "fmt"

// Folder says how much layers store at and below one path, for a map of the image.
// The list has only the largest folders and files. What a folder has beyond those
// listed below it is in smaller ones.
type Folder struct {
	Path         string        `json:"path"`                // rooted
	PathBytes    []byte        `json:"pathBytes,omitempty"` // the path, if it is not valid UTF-8
	VisibleBytes int64         `json:"visibleBytes"`
	WastedBytes  int64         `json:"wastedBytes"`
	Pieces       int           `json:"pieces"` // number of contents, one for each stored file
	Layers       []FolderLayer `json:"layers"` // the layers that store any of it, bottom first
}

// FolderLayer is the part of a Folder that one layer stores.
type FolderLayer struct {
	Layer        int   `json:"layer"`
	VisibleBytes int64 `json:"visibleBytes"`
	WastedBytes  int64 `json:"wastedBytes"`
}

// checkFolders returns an error if the folders of a saved report contradict
// themselves or the totals. A report may have no folders: earlier versions wrote
// none.
func (r *Report) checkFolders() error {
	seen := map[string]bool{}
	for i, f := range r.Folders {
		name := fmt.Sprintf("folder %d", i)
		if err := counts(name, f.VisibleBytes, f.WastedBytes, int64(f.Pieces)); err != nil {
			return err
		}
		if len(f.PathBytes) > 0 && f.Path != string(f.PathBytes) {
			return fmt.Errorf("%s has two paths", name)
		}
		if (f.Path == "/") != (i == 0) || i > 0 && !clean(f.Path) || seen[f.Path] {
			return fmt.Errorf("%s: the path %.80q is out of place", name, f.Path)
		}
		seen[f.Path] = true
		var visible, wasted total
		at := -1
		for _, l := range f.Layers {
			if err := counts(name, l.VisibleBytes, l.WastedBytes); err != nil {
				return err
			}
			if l.Layer <= at || l.Layer >= len(r.Layers) {
				return fmt.Errorf("%s: layer %d is out of place", name, l.Layer)
			}
			at = l.Layer
			visible.add(l.VisibleBytes)
			wasted.add(l.WastedBytes)
		}
		if int64(visible) != f.VisibleBytes || int64(wasted) != f.WastedBytes {
			return fmt.Errorf("%s has %d visible and %d wasted bytes, and its layers add up to %d and %d", name, f.VisibleBytes, f.WastedBytes, visible, wasted)
		}
		if i == 0 && (f.VisibleBytes != r.Totals.VisibleBytes || f.WastedBytes != r.Totals.WastedBytes) {
			return fmt.Errorf("%s is not as large as the image", name)
		}
	}
	return nil
}
