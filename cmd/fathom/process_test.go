//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/creack/pty"

	"fathom/analyzer/imagetest"
)

// program returns a command that runs the real program in its own process, and the
// empty folder that the program uses for temporary files.
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // ends a read that would block forever
	t.Cleanup(cancel)
	cmd = exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp, "CI=", "TERM=xterm-256color", "NO_COLOR=", "XDG_CONFIG_HOME="+temp, "HOME="+temp)
	return cmd, temp
}

// TestSignals sends a signal while the program reads an image. The exit code names
// the signal, and no file is left behind.
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
			// This is more than a pipe holds: once it is written, the program is reading.
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

// TestSignalWhileStuck sends signals while the program is blocked in work that does
// not watch its context, here a write to a full pipe. The program still ends some
// time after a signal, and soon after a second one.
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

// TestLeaveChooser leaves the chooser: ctrl-c is an interrupt as long as no image is
// shown, and q ends the program normally.
func TestLeaveChooser(t *testing.T) {
	for key, want := range map[string]int{"\x03": 130, "q": 0} {
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

// TestForeignTerminal runs the explorer on an unknown type of terminal, which is an
// error with a hint, and in locales without UTF-8, where it draws only ASCII.
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

// TestProgressOnTerminal checks that a command that takes longer than half a second
// shows its progress on a terminal, and erases the progress at the end.
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

// TestExploreOnTerminal checks that an image opens in the explorer on a terminal.
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

// TestCompareOnTerminal checks that a comparison opens in the explorer on a terminal, and
// prints text there if it is asked to.
func TestCompareOnTerminal(t *testing.T) {
	args := []string{"compare"}
	for _, name := range []string{"basic-one-layer", "move-file"} {
		file := filepath.Join(t.TempDir(), name+".tar")
		if err := os.WriteFile(file, imagetest.Load(t, name).DockerArchive().Tar(), 0o666); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	cmd, _ := program(t, args...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	until(t, terminal, "what differs")
	if _, err := terminal.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	until(t, terminal, "\x1b[?1049l")
	if err := cmd.Wait(); err != nil {
		t.Errorf("got %v", err)
	}

	cmd, _ = program(t, append(args, "--report", "text")...)
	terminal, err = pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	if got := until(t, terminal, "stored"); strings.Contains(got, "\x1b[?1049h") {
		t.Errorf("an alternate screen in %q", got)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("got %v", err)
	}
}

// TestCancelLoading presses ctrl-c while an image loads. The program ends at once
// and prints the error after it has restored the terminal.
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

// TestNoExplorerWithoutTerminal checks that the program prints text on a dumb
// terminal, and if only standard output is a terminal.
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

// TestSignalWhileBuilding sends signals while a builder runs that ignores them. The
// builder ends too, and no file is left behind.
func TestSignalWhileBuilding(t *testing.T) {
	for name, c := range map[string]struct {
		sigs []syscall.Signal
		code int
	}{
		"interrupt":   {[]syscall.Signal{syscall.SIGINT}, 130},
		"terminate":   {[]syscall.Signal{syscall.SIGTERM}, 143},
		"two signals": {[]syscall.Signal{syscall.SIGTERM, syscall.SIGTERM}, 143},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := t.TempDir()
			script := "#!/bin/sh\nif [ \"$2\" = version ]; then exit 0; fi\ntrap '' INT TERM\necho $$\nfor i in 1 2 3 4 5 6 7 8 9; do sleep 1; done\n"
			if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			cmd, temp := program(t, "build", "--ci=false", "-t", "app", ".")
			cmd.Env = append(cmd.Env, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			stderr, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer stderr.Close()
			cmd.Stderr = w
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			pid, err := strconv.Atoi(strings.TrimSpace(until(t, stderr, "\n")))
			if err != nil {
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
			// Its end of the pipe closes when the builder ends.
			if _, err := io.Copy(io.Discard, stderr); err != nil {
				t.Error(err)
			}
			if p, err := os.FindProcess(pid); err == nil && p.Signal(syscall.Signal(0)) == nil {
				if stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); !strings.Contains(string(stat), ") Z ") {
					t.Errorf("the builder still runs: %s", stat)
				}
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// TestCopiedCommand copies the command of a view in the explorer, and runs it in a shell:
// it prints what the view shows.
func TestCopiedCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "it's an image.tar")
	if err := os.WriteFile(file, imagetest.Load(t, "basic-one-layer").DockerArchive().Tar(), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd, _ := program(t, file)
	cmd.Env = append(cmd.Env, "TMUX=", "STY=")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	until(t, terminal, "Layers")
	if _, err := terminal.WriteString("3Yc"); err != nil {
		t.Fatal(err)
	}
	_, data, _ := strings.Cut(until(t, terminal, "\x07"), "\x1b]52;c;")
	data, _, _ = strings.Cut(data, "\x07")
	command, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	if _, err := terminal.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	until(t, terminal, "\x1b[?1049l")
	if err := cmd.Wait(); err != nil {
		t.Errorf("got %v", err)
	}

	run := func(name string, args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), name, args...)
		c.Env = append(cmd.Env, "PATH="+filepath.Dir(cmd.Path)+":"+os.Getenv("PATH"))
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%s %q: %v", name, args, err)
		}
		return string(out)
	}
	want := run(cmd.Path, "ls", "--layer=0", file)
	if got := run("sh", "-c", string(command)); got != want || got == "" {
		t.Errorf("%s prints\n%swant\n%s", command, got, want)
	}
}
