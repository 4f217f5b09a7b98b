package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/run"
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
		"any portal":          {[]string{"-frame-ancestors", "*"}, "no origin"},
		"a portal's page":     {[]string{"-cors-origins", "https://portal.example.com/x"}, "no origin"},
		"erase nobody":        {[]string{"-erase", ""}, "-erase needs a value"},
	} {
		err := execute(t.Context(), append([]string{"-data", t.TempDir(), "-demo=false"}, test.args...))
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want one with %q", name, err, test.says)
		}
	}
}

func TestADamagedRunKeepsNobodyFromStarting(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	store, err := embedded.Open(data, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	waiting := run.Run{ID: "01J", Kind: run.KindSync, State: run.Queued, CreatedAt: time.Now()}
	if _, err := store.Jobs().For("acme").CreateRun(t.Context(), waiting); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	err = damage(data, func(jobs *bolt.Bucket) error {
		return jobs.Bucket([]byte("=acme")).Bucket([]byte("runs")).Put([]byte("01J"), []byte("damaged"))
	})
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, data)
	c.account = "acme"
	if syncs := c.send(200, "GET", "/v1/syncs", nil)["items"].([]any); len(syncs) != 0 {
		t.Errorf("%d syncs are listed, want none", len(syncs))
	}
}

// damage changes the jobs of a closed folder.
func damage(data string, change func(jobs *bolt.Bucket) error) error {
	db, err := bolt.Open(filepath.Join(data, "rollcall.db"), 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error { return change(tx.Bucket([]byte("jobs"))) })
	return errors.Join(err, db.Close())
}

func damageSettings(data string) error {
	return damage(data, func(jobs *bolt.Bucket) error {
		return jobs.Bucket([]byte("=demo")).Put([]byte("settings"), []byte("damaged"))
	})
}
