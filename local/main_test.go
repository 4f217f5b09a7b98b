package main

import (
	"strings"
	"testing"
)

func TestWrongFlagsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"every address":       {[]string{"-addr", "0.0.0.0:0"}, "127.0.0.1"},
		"no host":             {[]string{"-addr", ":8080"}, "127.0.0.1"},
		"another machine's":   {[]string{"-addr", "192.0.2.1:80"}, "loopback"},
		"no port":             {[]string{"-addr", "127.0.0.1"}, "host:port"},
		"an argument":         {[]string{"serve"}, "-h lists the flags"},
		"a short hour":        {[]string{"-hour", "1ms"}, "between 1s and 1h"},
		"an hour that is not": {[]string{"-hour", "2h"}, "between 1s and 1h"},
		"no tick":             {[]string{"-tick", "0s"}, "between 1ms and 1m"},
	} {
		err := run(t.Context(), append([]string{"-data", t.TempDir(), "-demo=false"}, test.args...))
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want one with %q", name, err, test.says)
		}
	}
}
