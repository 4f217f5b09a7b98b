package extract

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"rollcall/shared/directory"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// recipientType is a value of msExchRecipientTypeDetails.
type recipientType struct {
	// name is Exchange's own (RecipientTypeDetails).
	name string
	typ  user.Type
	// system means a mailbox of the mail system itself, which no import takes.
	system bool
}

// recipientTypes has the values that have to do with mail, each at the place of its only bit. The page's presets and
// docs/recipient-types.md have the same ones, which tests hold. A mailbox that moves to Exchange Online changes from
// its value to the remote one.
var recipientTypes = [64]recipientType{
	0:  {"UserMailbox", user.TypeUser, false},
	1:  {"LinkedMailbox", user.TypeUser, false},
	2:  {"SharedMailbox", user.TypeShared, false},
	3:  {"LegacyMailbox", user.TypeUser, false},
	4:  {"RoomMailbox", user.TypeResource, false},
	5:  {"EquipmentMailbox", user.TypeResource, false},
	6:  {"MailContact", user.TypeContact, false},
	7:  {"MailUser", user.TypeUser, false},
	8:  {"MailUniversalDistributionGroup", user.TypeGroup, false},
	9:  {"MailNonUniversalGroup", user.TypeGroup, false},
	10: {"MailUniversalSecurityGroup", user.TypeGroup, false},
	11: {"DynamicDistributionGroup", user.TypeGroup, false},
	12: {"PublicFolder", user.TypePublicFolder, false},
	13: {"SystemAttendantMailbox", user.TypeUnknown, true},
	14: {"SystemMailbox", user.TypeUnknown, true},
	15: {"MailForestContact", user.TypeContact, false},
	22: {"MicrosoftExchange", user.TypeUnknown, true},
	23: {"ArbitrationMailbox", user.TypeUnknown, true},
	24: {"MailboxPlan", user.TypeUnknown, true},
	28: {"RoomList", user.TypeGroup, false},
	29: {"DiscoveryMailbox", user.TypeUnknown, true},
	31: {"RemoteUserMailbox", user.TypeUser, false},
	33: {"RemoteRoomMailbox", user.TypeResource, false},
	34: {"RemoteEquipmentMailbox", user.TypeResource, false},
	35: {"RemoteSharedMailbox", user.TypeShared, false},
	36: {"PublicFolderMailbox", user.TypeUnknown, true},
	37: {"TeamMailbox", user.TypeShared, false},
	38: {"RemoteTeamMailbox", user.TypeShared, false},
	39: {"MonitoringMailbox", user.TypeUnknown, true},
	40: {"GroupMailbox", user.TypeGroup, false},
	41: {"LinkedRoomMailbox", user.TypeResource, false},
	42: {"AuditLogMailbox", user.TypeUnknown, true},
	43: {"RemoteGroupMailbox", user.TypeGroup, false},
	44: {"SchedulingMailbox", user.TypeUnknown, true},
	45: {"GuestMailUser", user.TypeUser, false},
	46: {"AuxAuditLogMailbox", user.TypeUnknown, true},
	47: {"SupervisoryReviewPolicyMailbox", user.TypeUnknown, true},
}

// recipientTypeOf finds a value of msExchRecipientTypeDetails, nil where nobody knows it. Values are compared whole: no
// recipient has two.
func recipientTypeOf(value []byte) *recipientType {
	if len(value) == 0 {
		return nil
	}
	details, err := strconv.ParseUint(view(value), 10, 64)
	if err != nil || bits.OnesCount64(details) != 1 {
		return nil
	}
	if known := &recipientTypes[bits.TrailingZeros64(details)]; known.name != "" {
		return known
	}
	return nil
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

// systemClasses are the object classes of the mailboxes and services of Exchange 2000 to 2007, which give no recipient
// type, or not always.
var systemClasses = [...]string{
	"msexchsystemmailbox", "exchangeadminservice", "msexchexchangeserverrecipient", "msexchpublicmdb",
	"msexchprivatemdb",
}

// kindOf returns an entry's object type and, for a mailbox of the mail system itself, how it shows.
func (a *attributes) kindOf(server settings.ServerType, e *directory.Entry) (t user.Type, system string) {
	if server == settings.Exchange {
		details := a.first(slotRecipientTypeDetails)
		known := recipientTypeOf(details)
		switch {
		case known != nil && known.system:
			return known.typ, fmt.Sprintf("msExchRecipientTypeDetails is %s, %s", details, known.name)
		case a.isSystem(e, known == nil):
			return user.TypeUnknown, "its name, place or object class is one of the mail system's own"
		case known != nil:
			return known.typ, ""
		}
	}
	for i := range classTypes {
		if a.hasClass(classTypes[i].class) {
			return classTypes[i].typ, ""
		}
	}
	return user.TypeUnknown, ""
}

// isSystem reports whether an Exchange entry belongs to the mail system itself by its name, by where it stands or,
// where no recipient type says more, by its object class.
func (a *attributes) isSystem(e *directory.Entry, noType bool) bool {
	rdn, parent := splitDN(view(e.DN))
	if isSystemName(rdn) || isSystemParent(parent) {
		return true
	}
	if !noType {
		return false
	}
	if a.values[slotProxyAddresses] == nil {
		// Exchange 5.5 has no such attribute, and keeps its services among the configuration of a site.
		dn := normalDN(parent)
		return strings.Contains(","+dn, ",cn=servers,cn=configuration,ou=")
	}
	for i := range systemClasses {
		if a.hasClass(systemClasses[i]) {
			return true
		}
	}
	return false
}

// isSystemName reports whether an RDN is that of a monitoring mailbox, HealthMailbox and hexadecimal digits, or of a
// database's, SystemMailbox{GUID}.
func isSystemName(rdn string) bool {
	_, name, _ := strings.Cut(rdn, "=")
	name = strings.Trim(name, " ")
	if digits, ok := cutPrefixFold(name, "healthmailbox"); ok {
		return digits != "" && strings.Trim(digits, "0123456789abcdefABCDEF-") == ""
	}
	rest, ok := cutPrefixFold(name, "systemmailbox")
	return ok && (strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, `\7b`) || strings.HasPrefix(rest, `\7B`))
}

// isSystemParent reports whether a DN is that of the container of monitoring mailboxes.
func isSystemParent(dn string) bool {
	const monitoring = "cn=monitoring mailboxes,cn=microsoft exchange system objects"
	// Nearly all parents end here, without being normalised.
	if _, ok := cutPrefixFold(strings.TrimLeft(dn, " "), monitoring[:len("cn=m")]); !ok {
		return false
	}
	rest, ok := strings.CutPrefix(normalDN(dn), monitoring)
	return ok && (rest == "" || rest[0] == ',')
}

// cutPrefixFold is strings.CutPrefix for a prefix in lower-case ASCII, whatever the case of s.
func cutPrefixFold(s, prefix string) (after string, found bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// disabled reports whether userAccountControl has ADS_UF_ACCOUNTDISABLE ([MS-ADTS] 2.2.16).
func (a *attributes) disabled() bool {
	v := a.first(slotAccountControl)
	flags, err := strconv.ParseInt(view(v), 10, 64)
	return err == nil && flags&2 != 0
}

// hidden reports whether the entry is kept out of the address lists; it receives mail all the same.
func (a *attributes) hidden() bool { return string(a.first(slotHidden)) == "TRUE" }
