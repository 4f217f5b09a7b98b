package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// plainText is a context value as the command line gives it: a file may hold booleans, numbers, lists
// and, for tags, an object as well.
func plainText(value any) string {
	var parts []string
	switch value := value.(type) {
	case []any:
		for _, part := range value {
			parts = append(parts, plainText(part))
		}
	case map[string]any:
		if inner, ok := value["$jsii.map"]; ok { // So the CDK hands an object through.
			return plainText(inner)
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			parts = append(parts, key+"="+plainText(value[key]))
		}
	default:
		return strings.TrimSpace(fmt.Sprint(value))
	}
	return strings.Join(parts, ",")
}

func text(pattern string, field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		if !regexp.MustCompile(pattern).MatchString(value) {
			return errors.New("it does not look like that")
		}
		*field(s) = value
		return nil
	}
}

func texts(pattern string, field func(*Settings) *[]string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		for part := range strings.SplitSeq(value, ",") {
			if !regexp.MustCompile(pattern).MatchString(part) {
				return fmt.Errorf("%q does not look like that", part)
			}
			*field(s) = append(*field(s), part)
		}
		return nil
	}
}

func boolean(field func(*Settings) *bool) func(*Settings, string) error {
	return func(s *Settings, value string) (err error) {
		*field(s), err = strconv.ParseBool(value)
		return err
	}
}

func number(least, most int, field func(*Settings) *int) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return errors.New("it is not such a number")
		}
		*field(s) = n
		return nil
	}
}
