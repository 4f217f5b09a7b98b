package api

import (
	"time"

	"rollcall/shared/user"
)

// User is a user of the Users List.
type User struct {
	Address        string              `json:"address" doc:"The address, in its canonical form" example:"anais.lefevre@example.com"`
	Kind           user.Kind           `json:"kind" enum:"primary,alias" doc:"The address that a person is known by, or another one"`
	PrimaryAddress string              `json:"primaryAddress" doc:"The address that the person is known by; of a primary itself" example:"anais.lefevre@example.com"`
	Type           user.Type           `json:"type" enum:"user,contact,group,publicFolder,resource,shared,unknown" doc:"The kind of directory object"`
	Source         user.Source         `json:"source" enum:"directory,manual" doc:"Who put the user on the list: an import, or somebody by hand"`
	HeldSpamReport user.HeldSpamReport `json:"heldSpamReport" enum:"daily,off" doc:"How often the person is mailed what was held for them"`
	Protected      bool                `json:"protected" doc:"Imports neither change nor remove the user"`
	Version        int64               `json:"version" doc:"Grows with each change; in quotation marks it is the ETag" example:"1"`
	CreatedAt      time.Time           `json:"createdAt" doc:"When the user came onto the list" example:"2026-11-26T08:00:00Z"`
	UpdatedAt      time.Time           `json:"updatedAt" doc:"When the user changed last" example:"2026-11-26T08:00:00Z"`
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
	Total *int `json:"total,omitempty" doc:"How many users there are, whatever the filter: on the first page. A list of millions that was just written may be without" example:"452"`
}
