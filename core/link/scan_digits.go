package link

// What digits look like that are no number of an order or an item.

// isPhone says whether digits are a mobile phone number of the mainland, with or
// without the country's code.
func isPhone(digits []byte) bool {
	if len(digits) == 13 && digits[0] == '8' && digits[1] == '6' {
		digits = digits[2:]
	}
	return len(digits) == 11 && digits[0] == '1' && digits[1] >= '3'
}

// isHotline says whether digits are a service number: 400 and 800 with seven more.
func isHotline(digits []byte) bool {
	return len(digits) == 10 && (digits[0] == '4' || digits[0] == '8') && digits[1] == '0' && digits[2] == '0'
}

// isClock says whether digits are a date of this century with the hour, and
// perhaps the minute.
func isClock(digits []byte) bool {
	switch len(digits) {
	case 10:
		return isDate(digits) && valueOf(digits[8:10]) < 24
	case 12:
		return isDate(digits) && valueOf(digits[8:10]) < 24 && valueOf(digits[10:12]) < 60
	}
	return false
}

// isDate says whether digits begin with year, month and day, of 1900 to 2099.
func isDate(digits []byte) bool {
	century := valueOf(digits[:2])
	month, day := valueOf(digits[4:6]), valueOf(digits[6:8])
	return (century == 19 || century == 20) && 1 <= month && month <= 12 && 1 <= day && day <= 31
}

// number returns the value of at most nine digits.
func valueOf(digits []byte) (n int) {
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	return n
}

// identityWeights are the weights of the digits of an identity card's number, and
// identityChecks the last digit by the sum modulo 11; a remainder of 2 is an X.
var (
	identityWeights = [...]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	identityChecks  = [...]byte{'1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'}
)

// isIdentity says whether digits are the number of an identity card: 18 digits
// with a date of birth and a check digit.
func isIdentity(digits []byte) bool {
	if len(digits) != len(identityWeights)+1 || !isDate(digits[6:14]) {
		return false
	}
	sum := 0
	for i, w := range identityWeights {
		sum += w * int(digits[i]-'0')
	}
	return identityChecks[sum%len(identityChecks)] == digits[17]
}

// isCard says whether digits are the number of a bank card: those of UnionPay
// begin with 62, and the last digit is a check by Luhn's rule.
func isCard(digits []byte) bool {
	if digits[0] != '6' || digits[1] != '2' {
		return false
	}
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}

// isBarcode says whether digits are the bar code of goods from China: 13 digits
// from 69, with a check digit.
func isBarcode(digits []byte) bool {
	if len(digits) != 13 || digits[0] != '6' || digits[1] != '9' {
		return false
	}
	sum := 0
	for i, d := range digits {
		sum += int(d-'0') * (1 + i%2*2)
	}
	return sum%10 == 0
}
