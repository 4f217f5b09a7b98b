package manifest

// What the tokens say, where nothing else is configured, and what the user pool that the deployment makes calls it.
const (
	// DefaultAccountClaim names the account, and DefaultScopePrefix stands before the scopes read and admin.
	DefaultAccountClaim = "account"
	DefaultScopePrefix  = ScopeServer + "/"
	// ScopeServer is the user pool's resource server; the others are its scopes, as package api knows them.
	ScopeServer  = "rollcall"
	ReadScope    = "read"
	AdminScope   = "admin"
	ServiceScope = "service"
	// AccountAttribute is the user pool's attribute that holds the account, without the prefix custom: that Cognito
	// gives it. Only an operator can write it.
	AccountAttribute = "account"
	// AdminGroup is the user pool's group whose members may change things; everybody else may read.
	AdminGroup = "rollcall-admin"
	// TokenBinary is the folder below functions/ of the user pool's trigger, which puts the account into the tokens.
	TokenBinary = "token"
)

// The encryption context that a password is sealed with (AWS KMS): no grant on the password key does without it.
const (
	// SealedAccount is the account, SealedTarget a hash of the connection (secret.Binding).
	SealedAccount = "account"
	SealedTarget  = "target"
)

// OriginHeader holds the key by which a function knows that a request came through the page's CloudFront distribution.
const OriginHeader = "X-Rollcall-Origin"
