package importer

import (
	"errors"
	"fmt"
	"testing"

	"rollcall/shared/planfile"
)

// TestAPlanOfAnotherVersionIsGone gives the caller and the run's record words for it, and no retry.
func TestAPlanOfAnotherVersionIsGone(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("read the trailer: %w: 9", planfile.ErrVersion)
	var told *Error
	if !errors.As(pageError(err, codePreviewExpired, previewExpired), &told) || told.Class != Gone ||
		told.Code != "preview_expired" {
		t.Errorf("a page says %v", told)
	}
	if failure := failureOf(err); failure == nil || failure.Code != "plan_missing" {
		t.Errorf("a run says %+v", failure)
	}
}
