package ui

import "testing"

// TestLook checks where an image opens, and what the bottom line says until a key.
func TestLook(t *testing.T) {
	for _, c := range []struct {
		name string
		find prepared
		want string
	}{
		// Layer 3 gives /srv/app another owner (800 kB), and removes .git (1 MB) and lists of
		// packages (2.5 MB) that layers below store; layer 4 replaces /etc/motd.
		{"waste", prepared{}, "4.4 MB wasted, most by layer 3: chown -R node:node /srv/…; 1 warning: i"},
		{"findings", prepared{all: readFindings(t, "shop")}, "4.4 MB wasted, most by layer 3: chown -R node:node /srv/…; 4 findings: !; 1 warning: i"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.find.stage(t, load(t, "shop"), "", false, 120, 40)
			s.u.begin()
			s.u.Draw(s.screen)
			s.at(t, " "+c.want)
			s.at(t, "? keys  q quit")
			if s.u.sel.layer != 3 || len(s.u.jumps.behind) > 0 {
				t.Errorf("it opens on layer %d, after %d jumps", s.u.sel.layer, len(s.u.jumps.behind))
			}
			s.press("down")
			if s.u.looking || s.u.sel.layer != 4 {
				t.Error("the line stays after a key")
			}
		})
	}
	s := savedStage(t, load(t, "shop").Report, "", false, 80, 24)
	s.u.begin()
	s.u.Draw(s.screen)
	s.at(t, " 4.4 MB wasted, most by layer 3; 1 warning: i")
	empty := newStage(t, nil, "", false, 20, 5)
	empty.u.begin()
	empty.u.Draw(empty.screen)
	empty.at(t, "nothing is wasted")
}
