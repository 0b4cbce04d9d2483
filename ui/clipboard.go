package ui

import (
	"cmp"
	"context"
	"encoding/base64"
	"os"
	"os/exec"
	"strings"
	"time"

	"fathom/ui/screen"
)

// maxClip is the most that terminals take for the clipboard in one sequence.
const maxClip = 74000

// copyWait limits the time for tmux.
const copyWait = 2 * time.Second

// copy puts text on a clipboard and returns a note that says which one; "" when
// there is none or the text is too long.
func (s *session) copy(text string) string {
	ctx, cancel := context.WithTimeout(s.ctx, copyWait)
	defer cancel()
	if os.Getenv("TMUX") != "" && loadBuffer(ctx, text) == nil {
		return "copied to tmux's buffer"
	}
	// A terminal doesn't say whether it took the text (OSC 52). tmux and screen
	// pass it on only when it is wrapped for them, if they do.
	const sent = "sent to the terminal's clipboard"
	data := base64.StdEncoding.EncodeToString([]byte(text))
	tty, ok := s.screen.Tty()
	if len(data) > maxClip {
		return ""
	}
	if !ok {
		s.screen.SetClipboard([]byte(text))
		return sent
	}
	if _, err := tty.Write([]byte(osc52(data, os.Getenv))); err != nil {
		return ""
	}
	return sent
}

// loadBuffer makes text tmux's newest buffer. From version 3.2 on tmux offers it
// to the terminal's clipboard as well. Since 3.3 its defaults ignore what a
// program in it sends for the clipboard.
func loadBuffer(ctx context.Context, text string) error {
	var err error
	for _, args := range [][]string{{"load-buffer", "-w", "-"}, {"load-buffer", "-"}} {
		cmd := exec.CommandContext(ctx, "tmux", args...)
		cmd.Stdin = strings.NewReader(text)
		if err = cmd.Run(); err == nil {
			return nil
		}
	}
	return err
}

// osc52 returns the sequence that sets the clipboard to the base64 data.
func osc52(data string, getenv func(string) string) string {
	plain := "\x1b]52;c;" + data + "\x07"
	switch {
	case getenv("TMUX") != "":
		return plain + "\x1bPtmux;" + strings.ReplaceAll(plain, "\x1b", "\x1b\x1b") + "\x1b\\"
	case getenv("STY") != "" || strings.HasPrefix(getenv("TERM"), "screen"):
		// screen takes no more than 768 bytes of a string at once.
		var b strings.Builder
		for rest := plain; rest != ""; {
			n := min(len(rest), 252)
			b.WriteString("\x1bP" + rest[:n] + "\x1b\\")
			rest = rest[n:]
		}
		return b.String()
	}
	return plain
}

// copyText puts text on a clipboard and says where it went.
func (u *ui) copyText(text string) {
	if text == "" {
		u.note = "there is nothing to copy here"
		return
	}
	shown, rest, _ := strings.Cut(text, "\n")
	shown = safe(shown)
	if rest != "" {
		shown += u.th.Glyph.Ellipsis + " (" + count(strings.Count(rest, "\n")+2, "line") + ")"
	}
	u.note = cmp.Or(u.do.copy(text), "can't copy this") + ": " + shown
}

// copyLine returns the text that y copies from a line.
func copyLine(lines []screen.Line, at int) string {
	if at >= len(lines) {
		return ""
	}
	return cmp.Or(lines[at].Value, lines[at].Text())
}
