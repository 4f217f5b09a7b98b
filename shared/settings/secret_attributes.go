package settings

import "strings"

// secretAttributes are the attributes that hold passwords, their hashes and keys, by name in lower case and by OID. A
// stored password must not become a way to read them, neither as addresses nor by a filter that finds out what a value
// begins with.
var secretAttributes = set(
	// The standards (RFC 4519, RFC 3112, RFC 2798), password policies and OpenLDAP.
	"userpassword", "2.5.4.35", "authpassword", "1.3.6.1.4.1.4203.1.3.4", "userpkcs12", "2.16.840.1.113730.3.1.216",
	"pwdhistory", "1.3.6.1.4.1.42.2.27.8.1.20", "olcrootpw", "olcdbbindcredentials", "oathsecret",
	// Active Directory ([MS-ADA1] to [MS-ADA3]): accounts, trusts, secrets, BitLocker, roaming keys, LAPS.
	"unicodepwd", "1.2.840.113556.1.4.90", "dbcspwd", "1.2.840.113556.1.4.55", "ntpwdhistory", "1.2.840.113556.1.4.94",
	"lmpwdhistory", "1.2.840.113556.1.4.160", "supplementalcredentials", "1.2.840.113556.1.4.125",
	"unixuserpassword", "1.2.840.113556.1.4.1910", "mssfu30password", "msds-executescriptpassword",
	"1.2.840.113556.1.4.1783", "msds-managedpassword", "1.2.840.113556.1.4.2196", "mskds-rootkeydata",
	"1.2.840.113556.1.4.2175", "msds-keymaterial", "1.2.840.113556.1.4.2316", "peklist", "1.2.840.113556.1.4.865",
	"currentvalue", "1.2.840.113556.1.4.27", "priorvalue", "1.2.840.113556.1.4.100", "trustauthincoming",
	"1.2.840.113556.1.4.129", "trustauthoutgoing", "1.2.840.113556.1.4.135", "initialauthincoming",
	"1.2.840.113556.1.4.539", "initialauthoutgoing", "1.2.840.113556.1.4.540", "msfve-recoverypassword",
	"1.2.840.113556.1.4.1964", "msfve-keypackage", "1.2.840.113556.1.4.1999", "mstpm-ownerinformation",
	"1.2.840.113556.1.4.1966", "mspkiaccountcredentials", "1.2.840.113556.1.4.1894", "mspkidpapimasterkeys",
	"1.2.840.113556.1.4.1893", "mspki-credentialroamingtokens", "1.2.840.113556.1.4.2050", "privatekey",
	"1.2.840.113556.1.4.101", "ms-mcs-admpwd",
	"1.2.840.113556.1.8000.2554.50051.45980.28112.18903.35903.6685103.1224907.2.1", "ms-mcs-admpwdhistory",
	// Kerberos: MIT, Heimdal.
	"krbprincipalkey", "2.16.840.1.113719.1.301.4.39.1", "krbpwdhistory", "2.16.840.1.113719.1.301.4.44.1", "krbmkey",
	"2.16.840.1.113719.1.301.4.46.1", "krb5key", "1.3.6.1.4.1.5322.10.1.10",
	// Samba's schema for other directories, and FreeIPA.
	"sambantpassword", "1.3.6.1.4.1.7165.2.1.25", "sambalmpassword", "1.3.6.1.4.1.7165.2.1.24",
	"sambapasswordhistory", "1.3.6.1.4.1.7165.2.1.54", "sambacleartextpassword", "1.3.6.1.4.1.7165.2.1.68",
	"sambapreviouscleartextpassword", "1.3.6.1.4.1.7165.2.1.69", "ntpassword", "lmpassword", "ipanthash",
	"ipatokenotpkey",
	// 389 Directory Server and its ancestors.
	"nsds5replicacredentials", "2.16.840.1.113730.3.1.582", "nsds5replicabootstrapcredentials",
	"2.16.840.1.113730.3.1.2372", "passwordhistory", "2.16.840.1.113730.3.1.96", "nssymmetrickey",
	"2.16.840.1.113730.3.1.2084", "nsmultiplexorcredentials", "nsslapd-rootpw", "replicacredentials",
	"2.16.840.1.113730.3.1.202", "cirbindcredentials", "2.16.840.1.113730.3.1.85", "nsbindpassword",
	"mgrpapprovepassword",
	// eDirectory, besides the families below.
	"passwordsused", "dirxml-shimauthpassword", "dirxml-namedpasswords", "dirxml-encryptionkeys",
)

// secretFamilies are beginnings of names and OIDs: Windows LAPS, and eDirectory's password management and NMAS (the
// logins' secrets).
var secretFamilies = []string{"mslaps-", "1.2.840.113556.1.6.44.1.", "nspm", "sas", "2.16.840.1.113719.1.39."}

func set(names ...string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
	}
	return out
}

// IsSecretAttribute reports whether an attribute description (RFC 4512, 2.5) names an attribute that holds passwords or
// keys, with or without options such as ;binary.
func IsSecretAttribute(description string) bool {
	name, _, _ := strings.Cut(strings.ToLower(description), ";")
	name = canonicalOID(strings.TrimPrefix(strings.TrimSpace(name), "oid."))
	if secretAttributes[name] {
		return true
	}
	for _, family := range secretFamilies {
		if strings.HasPrefix(name, family) {
			return true
		}
	}
	return false
}

// canonicalOID returns a dotted OID without leading zeros, which some servers skip, and any other name as it is.
func canonicalOID(name string) string {
	if strings.Trim(name, "0123456789.") != "" {
		return name
	}
	arcs := strings.Split(name, ".")
	for i, arc := range arcs {
		if arcs[i] = strings.TrimLeft(arc, "0"); arcs[i] == "" && arc != "" {
			arcs[i] = "0"
		}
	}
	return strings.Join(arcs, ".")
}
