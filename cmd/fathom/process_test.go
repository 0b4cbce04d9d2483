//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/creack/pty"
)

// program is the real program in a process of its own, with an empty folder
// for its temporary files.
func program(t *testing.T, args ...string) (cmd *exec.Cmd, temp string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// TestMain runs main when the binary goes by that name.
	name := filepath.Join(t.TempDir(), "fathom")
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	temp = t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a read of what never comes ends
	t.Cleanup(cancel)
	cmd = exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp, "CI=", "TERM=xterm-256color", "NO_COLOR=", "XDG_CONFIG_HOME="+temp, "HOME="+temp)
	return cmd, temp
}

// A signal in the middle of things: the exit code says which, and nothing is
// left behind.
func TestSignals(t *testing.T) {
	var image bytes.Buffer
	if err := writeDemo(&image); err != nil {
		t.Fatal(err)
	}
	for sig, want := range map[syscall.Signal]struct {
		code int
		line string
	}{
		syscall.SIGINT:  {130, "fathom: error: interrupted\n"},
		syscall.SIGTERM: {143, "fathom: error: ended by a signal: terminated\n"},
		syscall.SIGHUP:  {129, "fathom: error: ended by a signal: hangup\n"},
	} {
		t.Run(sig.String(), func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "report.json")
			cmd, temp := program(t, "--ci", "--json", report, "-")
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// More than a pipe holds: once it is written, the program reads.
			if _, err := stdin.Write(image.Bytes()[:4<<20]); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != want.code {
				t.Errorf("exit code %d, want %d", got, want.code)
			}
			if stderr.String() != want.line {
				t.Errorf("stderr %q, want %q", &stderr, want.line)
			}
			for _, dir := range []string{temp, filepath.Dir(report)} {
				if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
					t.Errorf("left behind: %v %v", left, err)
				}
			}
		})
	}
}

// What doesn't look at its context, like a write to a pipe that nobody empties,
// can't hold the program: it ends some time after a signal, and soon after a
// second one.
func TestSignalWhileStuck(t *testing.T) {
	for name, c := range map[string]struct {
		sigs []syscall.Signal
		code int
		line string
	}{
		"one signal":  {[]syscall.Signal{syscall.SIGTERM}, 143, "fathom: error: ended by a signal: terminated\n"},
		"two signals": {[]syscall.Signal{syscall.SIGINT, syscall.SIGINT}, 130, "fathom: error: interrupted\n"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, temp := program(t, "demo", "--json", "-") // more than a pipe holds
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer stdout.Close()
			cmd.Stdout = w
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			if _, err := stdout.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			for _, sig := range c.sigs {
				if err := cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
			}
			cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
			if stderr.String() != c.line {
				t.Errorf("stderr %q, want %q", &stderr, c.line)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// ctrl-c is an interrupt wherever there is nothing to see yet, also while an
// image is chosen; q just leaves.
func TestLeaveChooser(t *testing.T) {
	for key, want := range map[string]int{"\x03": 130, "q": 0, "\x1b": 0} {
		cmd, temp := program(t)
		cmd.Env = append(cmd.Env, "PATH="+temp, "DOCKER_HOST=unix:///nowhere", "CONTAINER_HOST=unix:///nowhere")
		terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
		if err != nil {
			t.Fatal(err)
		}
		defer terminal.Close()
		until(t, terminal, "Images")
		if _, err := terminal.WriteString(key); err != nil {
			t.Fatal(err)
		}
		until(t, terminal, "\x1b[?1004l")
		cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%q: exit code %d, want %d", key, got, want)
		}
	}
}

// A terminal of an unknown kind is an error with a hint. In a locale that isn't
// UTF-8 the explorer draws with ASCII alone.
func TestForeignTerminal(t *testing.T) {
	for name, c := range map[string]struct {
		env        []string
		want, keys string
		code       int
	}{
		"unknown": {[]string{"TERM=no-such-terminal"}, "fathom: error: opening the terminal: unknown terminal type \"no-such-terminal\"\r\nfathom: hint: TERM=xterm-256color", "", exitError},
		"latin-1": {[]string{"LC_ALL=en_US.ISO-8859-1"}, "Layers", "\xe9q", exitOK},
		"POSIX":   {[]string{"LC_ALL=C"}, "Layers", "q", exitOK},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, _ := program(t, "demo")
			cmd.Env = append(cmd.Env, c.env...)
			terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
			if err != nil {
				t.Fatal(err)
			}
			defer terminal.Close()
			got := until(t, terminal, c.want)
			if strings.ContainsFunc(got, func(r rune) bool { return r > unicode.MaxASCII }) {
				t.Errorf("not only ASCII: %q", got)
			}
			if _, err := terminal.WriteString(c.keys); err != nil {
				t.Fatal(err)
			}
			go io.Copy(io.Discard, terminal)
			cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
		})
	}
}

// until reads r up to and including want.
func until(t *testing.T, r io.Reader, want string) string {
	t.Helper()
	var all strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(all.String(), want) {
		n, err := r.Read(buf)
		all.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v before %q came; there was %q", err, want, all.String())
		}
	}
	return all.String()
}

// On a terminal, what takes longer than half a second shows how far it is, and
// takes that off the screen again.
func TestProgressOnTerminal(t *testing.T) {
	cmd, _ := program(t, "-")
	terminal, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	cmd.Stderr = tty
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	if got := until(t, terminal, "receiving"); !strings.HasPrefix(got, "\r\x1b[K") {
		t.Errorf("the bar begins with %q", got)
	}
	stdin.Close()
	rest := until(t, terminal, "fathom: error: ")
	if !strings.HasSuffix(rest[:strings.Index(rest, "fathom: error: ")], "\r\x1b[K") {
		t.Errorf("the bar is not taken off: %q", rest)
	}
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != exitError {
		t.Errorf("exit code %d, want %d", got, exitError)
	}
}

// On a terminal the image opens in the explorer.
func TestExploreOnTerminal(t *testing.T) {
	cmd, _ := program(t, "demo")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	if got := until(t, terminal, "Layers"); !strings.Contains(got, "\x1b[?1049h") {
		t.Errorf("no alternate screen in %q", got)
	}
	if _, err := terminal.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	until(t, terminal, "\x1b[?1049l")
	if err := cmd.Wait(); err != nil {
		t.Errorf("got %v", err)
	}
}

// ctrl-c while an image loads ends it at once, as anywhere else; the error
// stands on the terminal as it was before.
func TestCancelLoading(t *testing.T) {
	name := filepath.Join(t.TempDir(), "app.tar")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, temp := program(t, name)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	until(t, terminal, "Opening")
	if _, err := terminal.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	rest := until(t, terminal, "fathom: error: interrupted\r\n")
	if off := strings.Index(rest, "\x1b[?1049l"); off < 0 || off > strings.Index(rest, "fathom: error") {
		t.Errorf("the other screen is not left before the error: %q", rest)
	}
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("exit code %d, want 130", got)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A terminal that understands nothing gets text, and so does one that is only
// on one side.
func TestNoExplorerWithoutTerminal(t *testing.T) {
	for name, prepare := range map[string]func(*exec.Cmd, *os.File){
		"dumb":            func(cmd *exec.Cmd, tty *os.File) { cmd.Env = append(cmd.Env, "TERM=dumb"); cmd.Stdin = tty },
		"stdin is a pipe": func(cmd *exec.Cmd, tty *os.File) { cmd.Stdin = strings.NewReader("") },
	} {
		t.Run(name, func(t *testing.T) {
			cmd, _ := program(t, "demo")
			terminal, tty, err := pty.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer terminal.Close()
			cmd.Stdout = tty
			prepare(cmd, tty)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			tty.Close()
			if got := until(t, terminal, "--json lists all"); strings.Contains(got, "\x1b") {
				t.Errorf("escape codes in %q", got)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}
