package api

import (
	"time"

	"rollcall/shared/user"
)

// User is a user of the Users List.
type User struct {
	_              struct{}            `json:"-" nullable:"true"`
	Address        string              `json:"address"`
	Kind           user.Kind           `json:"kind" enum:"primary,alias"`
	PrimaryAddress string              `json:"primaryAddress"`
	Type           user.Type           `json:"type"`
	Source         user.Source         `json:"source" enum:"directory,manual"`
	HeldSpamReport user.HeldSpamReport `json:"heldSpamReport" enum:"daily,off"`
	Protected      bool                `json:"protected" doc:"Imports neither change nor remove the user"`
	Version        int64               `json:"version"`
	CreatedAt      time.Time           `json:"createdAt"`
	UpdatedAt      time.Time           `json:"updatedAt"`
}

// UserView shows a user, or nothing where there is none.
func UserView(u *user.User) *User {
	if u == nil {
		return nil
	}
	return &User{
		Address: u.Address, Kind: u.Kind, PrimaryAddress: u.PrimaryAddress, Type: u.Type, Source: u.Source,
		HeldSpamReport: u.HeldSpamReport,
		Protected:      u.Protected, Version: u.Version, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}

// UserList is a page of the Users List.
type UserList struct {
	Found[User]
	Total *int `json:"total,omitempty" doc:"How many users there are, whatever the filter: on the first page. A list of millions that was just written may be without"`
}
