package dynamodb

// EncodeUser is encodeUser, for tests that write to the table themselves.
var EncodeUser = encodeUser
