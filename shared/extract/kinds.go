package extract

import (
	"strconv"

	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// recipientType returns the object type for msExchRecipientTypeDetails (Exchange Server's RecipientTypeDetails values).
func recipientType(details uint64) (t user.Type, system, known bool) {
	switch details {
	case 1, 2, 128, 1 << 31:
		return user.TypeUser, false, true
	case 4, 1 << 35:
		return user.TypeShared, false, true
	case 16, 32, 1 << 33, 1 << 34:
		return user.TypeResource, false, true
	case 64, 1 << 15:
		return user.TypeContact, false, true
	case 256, 512, 1024, 2048:
		return user.TypeGroup, false, true
	case 4096:
		return user.TypePublicFolder, false, true
	case 8192, 16384, 4194304, 8388608, 16777216, 536870912:
		return user.TypeUnknown, true, true
	}
	return user.TypeUnknown, false, false
}

// classTypes has the object type for each object class, the most specific class first.
var classTypes = [...]struct {
	class string
	typ   user.Type
}{
	{"publicfolder", user.TypePublicFolder},
	{"communigategroup", user.TypeGroup},
	{"communigateaccount", user.TypeUser},
	{"groupwisedistributionlist", user.TypeGroup},
	{"groupwiseresource", user.TypeResource},
	{"groupwiseexternalentity", user.TypeContact},
	{"groupofnames", user.TypeGroup},
	{"groupofuniquenames", user.TypeGroup},
	{"group", user.TypeGroup},
	{"msexchdynamicdistributionlist", user.TypeGroup},
	{"custom-recipient", user.TypeContact},
	{"remote-address", user.TypeContact},
	{"contact", user.TypeContact},
	{"inetorgperson", user.TypeUser},
	{"organizationalperson", user.TypeUser},
	{"user", user.TypeUser},
	{"person", user.TypeUser},
}

// kindOf returns an entry's object type and whether it is a mailbox of the mail system itself.
func (a *attributes) kindOf(server settings.ServerType) (t user.Type, system bool) {
	if server == settings.Exchange {
		if v := a.first(slotRecipientTypeDetails); v != nil {
			if details, err := strconv.ParseUint(view(v), 10, 64); err == nil {
				if t, system, known := recipientType(details); known {
					return t, system
				}
			}
		}
	}
	for i := range classTypes {
		if a.hasClass(classTypes[i].class) {
			return classTypes[i].typ, false
		}
	}
	return user.TypeUnknown, false
}

// disabled reports whether userAccountControl has ADS_UF_ACCOUNTDISABLE ([MS-ADTS] 2.2.16).
func (a *attributes) disabled() bool {
	v := a.first(slotAccountControl)
	flags, err := strconv.ParseInt(view(v), 10, 64)
	return err == nil && flags&2 != 0
}

// hidden reports whether the entry is kept out of the address lists; it receives mail all the same.
func (a *attributes) hidden() bool { return string(a.first(slotHidden)) == "TRUE" }
