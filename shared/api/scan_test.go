package api

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// scanned is a body with each kind of field that requests have.
type scanned struct {
	Connection *ConnectionInput `json:"connection,omitempty"`
	Advanced   *AdvancedInput   `json:"advanced,omitempty"`
	Options    *OptionsInput    `json:"options,omitempty"`
	Count      *int             `json:"count,omitempty"`
	Nothing    *nullable        `json:"nothing,omitempty"`
}

type nullable struct {
	_    struct{} `json:"-" nullable:"true"`
	Text string   `json:"text" required:"true"`
}

func scannedSchema() (huma.Registry, *huma.Schema) {
	schemas := New(Config{}).OpenAPI().Components.Schemas
	return schemas, schemas.Schema(reflect.TypeFor[scanned](), true, "scanned")
}

func TestScanCutsOutWhatTheSchemaRulesOut(t *testing.T) {
	t.Parallel()
	schemas, schema := scannedSchema()
	long := strings.Repeat(`"user",`, 20)
	for in, want := range map[string]string{
		`{"options":{"sendHSR":true}}`:                         `{"options":{"sendHSR":true}}`,
		`{"options":null,"nothing":null}`:                      `{"options":null,"nothing":null}`,
		` { "x" : [[[1],{}]] , "count" : 1 } `:                 ` { "x" :null , "count" : 1 } `,
		`{"count":{"a":"}\\\"{"}}`:                             `{"count":{}}`,
		`{"count":[[],[]],"advanced":{"exclude":[{"a":1},5]}}`: `{"count":[],"advanced":{"exclude":[{},5]}}`,
		`{"advanced":{"include":[` + long + `"user"]}}`:        `{"advanced":{"include":[` + long[:8*7-1] + `]}}`,
		`{"advanced":[{}],"x":1}`:                              `{"advanced":[],"x":null}`,
	} {
		s := scan{schemas: schemas, data: []byte(in)}
		if err := s.value(schema, false); err != nil || string(s.trimmed()) != want {
			t.Errorf("%s became %s (%v), want %s", in, s.trimmed(), err, want)
		}
	}
	for _, in := range []string{
		``, `{`, `[`, `"`, `{"count"`, `{"count":`, `{"count":"`, `{"count":1`, `{"x":{]`,
		`{"advanced":{"exclude":[1`, `{"a\`, `}`,
	} {
		s := scan{schemas: schemas, data: []byte(in)}
		if err := s.value(schema, false); !errors.Is(err, errMalformed) {
			t.Errorf("%s: error %v, want that it is malformed", in, err)
		}
	}
}

// FuzzScan shows that no body is let through, and none refused, because it was scanned.
func FuzzScan(f *testing.F) {
	for _, body := range []string{
		`{"connection":{"serverType":"exchange","host":"a","port":389},"options":{"removalLimit":{"percent":10}}}`,
		`{"advanced":{"include":["user",1,null,{}],"exclude":["a",[]]},"x":{"y":[]},"nothing":{"text":null}}`,
		`{"advanced":{"include":["1","2","3","4","5","6","7","8","9","10"]},"count":-1.5e3,"count\u0031":{}}`,
		`{"count":null,"nothing":null,"options":[],"connection":"{"}`, `[]`, `null`, `{"a\"b":1}`,
	} {
		f.Add([]byte(body))
	}
	schemas, schema := scannedSchema()
	wrong := func(t *testing.T, body []byte) bool {
		var value any
		if err := json.Unmarshal(body, &value); err != nil {
			t.Fatalf("%s cannot be decoded: %v", body, err)
		}
		var result huma.ValidateResult
		huma.Validate(schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, value, &result)
		return len(result.Errors) > 0
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := scan{schemas: schemas, data: body}
		err := s.value(schema, false)
		if !json.Valid(body) || errors.Is(err, errTwice) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if before, after := wrong(t, body), wrong(t, s.trimmed()); before != after || len(s.wrong) > 0 && !before {
			t.Errorf("%s is wrong: %v; as %s: %v, with %v", body, before, s.trimmed(), after, s.wrong)
		}
	})
}
