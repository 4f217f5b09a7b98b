package run

import "rollcall/shared/user"

// Identity is who asks: the account that everything is bound to, and a name for the records.
type Identity struct {
	Account user.Account
	Subject string
}
