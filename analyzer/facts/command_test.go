package facts

import "testing"

func TestCommand(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"/bin/sh -c #(nop) ADD file:3bc3f in / ", "ADD file:3bc3f in /"},
		{`/bin/sh -c #(nop)  CMD ["bash"]`, `CMD ["bash"]`},
		{"/bin/sh -c apt-get update", "RUN apt-get update"},
		{"RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"},
		{"RUN apt-get update # kaniko", "RUN apt-get update # kaniko"},
		{"COPY . /app # buildkit", "COPY . /app"},
		{"WORKDIR /app", "WORKDIR /app"},
		{"|1 VERSION=1.2 /bin/sh -c make", "RUN make"},
		{"RUN |2 A=two words B= /bin/sh -c make && /bin/sh -c x # buildkit", "RUN make && /bin/sh -c x"},
		{"RUN |1 A=b /bin/bash -o pipefail -c make # buildkit", "RUN /bin/bash -o pipefail -c make"},
		{"|0 /bin/sh -c make", "RUN make"},
		{"RUN /bin/bash -c make # buildkit", "RUN /bin/bash -c make"},
		{"/bin/sh -c apt-get update \t&&   apt-get\n install x", "RUN apt-get update && apt-get install x"},
		{`cmd /S /C #(nop) ENV A=b`, "ENV A=b"},
		{`CMD ["/bin/sh" "-c" "x"]`, `CMD ["/bin/sh" "-c" "x"]`},
		{`/bin/bash -o pipefail -c #(nop)  HEALTHCHECK &{["NONE"] "0s" "0s" "0s" '\x00'}`, "HEALTHCHECK NONE"},
		{`/bin/bash -o pipefail -c #(nop)  HEALTHCHECK &{["CMD" "/bin/true" "a b"] "0s" "0s" "5s" '\x00'}`, `HEALTHCHECK --start-period=5s CMD ["/bin/true", "a b"]`},
		{`/bin/sh -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "wget -q \"http://x/'y\" || exit 1"] "30s" "3s" "0s" '\x03'}`, `HEALTHCHECK --interval=30s --timeout=3s --retries=3 CMD wget -q "http://x/'y" || exit 1`},
		{`HEALTHCHECK &{["CMD-SHELL" "a ] \"0s\" b"] "1m30s" "0s" "0s" "2s" '\t'} # buildkit`, `HEALTHCHECK --interval=1m30s --start-interval=2s --retries=9 CMD a ] "0s" b`},
		{`HEALTHCHECK &{[] "0s" '\x00'}`, `HEALTHCHECK &{[] "0s" '\x00'}`},
		{`/bin/sh -c #(nop) HEALTHCHECK --start-period=5s CMD ["/bin/true", "a b"]`, `HEALTHCHECK --start-period=5s CMD ["/bin/true", "a b"]`},
		{`/bin/bash -o pipefail -c #(nop)  SHELL [/bin/bash -o pipefail -c]`, `SHELL [/bin/bash -o pipefail -c]`},
		{`/bin/bash -o pipefail -c #(nop)  ENV A=b`, `ENV A=b`},
		{`/bin/bash -o pipefail -c echo hi > /hi`, `RUN /bin/bash -o pipefail -c echo hi > /hi`},
		{`powershell -Command #(nop)  ENV A=b`, `ENV A=b`},
		{`/bin/sh -c echo -n #(nop) x`, `RUN echo -n #(nop) x`},
		{`/usr/bin/flash -c x`, `/usr/bin/flash -c x`},
		{"bazel build //image", "bazel build //image"},
		{"/bin/sh", "/bin/sh"},
		{"/bin/sh -c ", "/bin/sh -c"},
		{"|9", "|9"},
		{"# buildkit", ""},
		{"echo '# buildkit' # buildkit", "echo '# buildkit'"},
	} {
		if got := Command(tt.in); got != tt.want {
			t.Errorf("Command(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
