package api_test

import (
	"strings"
	"testing"

	"rollcall/shared/api"
)

func TestSecretAttributesAreRefusedAtTheirField(t *testing.T) {
	t.Parallel()
	advanced := api.AdvancedInput{Filter: "(&(mail=*)(unicodePwd=a*))",
		Attributes: api.AttributesInput{Primary: []string{"mail", "ms-Mcs-AdmPwd"}, ID: "2.5.4.35"}}
	var said []string
	for _, err := range api.CheckImport(nil, &advanced, nil) {
		said = append(said, err.Error())
	}
	all := strings.Join(said, "\n")
	for _, field := range []string{"advanced.filter", "advanced.attributes.primary[1]", "advanced.attributes.id"} {
		if !strings.Contains(all, field) {
			t.Errorf("%s is not among the errors:\n%s", field, all)
		}
	}
	if len(said) != 3 {
		t.Errorf("%d errors, want 3:\n%s", len(said), all)
	}
}
