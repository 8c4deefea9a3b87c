#!/usr/bin/env bash
# Runs the Verifpal models and edited copies of them, and compares what each
# prints with what is expected. README.md explains the codes.
#   ./check.sh [path of verifpal]
set -u
cd "$(dirname "$0")" || exit 1
verifpal=${1:-verifpal}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# check <title> <expected> <sessions> <file> [sed script]
check() {
	local copy="$scratch/model.vp" code
	sed -E -e "${5:-}" "$4" >"$copy"
	if [ -n "${5:-}" ] && cmp -s "$4" "$copy"; then
		echo "FAIL  $1: the edit changes nothing"
		failed=1
		return
	fi
	code=$(NO_COLOR=1 timeout 900 "$verifpal" verify -q --result-code --sessions "$3" "$copy" | tail -n 1)
	if [ "$code" = "$2" ]; then
		echo "ok    $1: $code"
	else
		echo "FAIL  $1: ${code:-no result}, expected $2"
		failed=1
	fi
}

last=handshake_last_resort.vp
no_phase='/^phase/,/^queries/{/^queries/!d;}'
leak() { echo "s/^(\tgsig_b = .*)/\1\n\tleaks $1/"; }
unsigned='/SIGNVERIF\(id_a/d'
guarded='/SIGNVERIF\(gsig_b/d;s/^(Bob -> Alice:) gspk.*/\1 [gspk], [gopk]/'

check "one-time" c0c0a0a0 1 handshake.vp
check "one-time, RSA leaked" c0c0a0a0 1 handshake.vp "$(leak rsa_b)"
check "one-time, X-Wing leaked" c0c0a0a0 1 handshake.vp "$no_phase;$(leak 'spk, opk')"
check "one-time, RSA and signed prekey leaked" c0c0a0a0 1 handshake.vp "$no_phase;$(leak 'rsa_b, spk')"
check "one-time, one-time prekey leaked later (control)" c1c1a0a0 1 handshake.vp 's/leaks rsa_b, sig_b, spk/&, opk/'
check "one-time, two sessions, bundle guarded" c0c0a0a0 2 handshake.vp "$no_phase;$guarded"

check "last resort" c0c0a0a0 1 $last
check "last resort, two sessions: replay" c0c0a1a1 2 $last
check "last resort, RSA leaked" c0c0a0a0 1 $last "$(leak rsa_b)"
check "last resort, X-Wing leaked" c0c0a0a0 1 $last "$no_phase;$(leak spk)"
check "last resort, RSA and signing key of Bob leaked" c1c1a0a0 1 $last "$no_phase;$(leak 'rsa_b, sig_b')"
check "last resort, all locks leaked (control)" c1c1a0a1 1 $last "$no_phase;$(leak 'rsa_b, spk')"
check "last resort, signed prekey leaked later (control)" c1c1a0a0 1 $last 's/leaks rsa_b, sig_b/&, spk/'
check "last resort, no signature (control)" c0c0a1a1 1 $last "$unsigned"

check "ratchet, Alice copied" c0c1c0c0a0a0 1 ratchet.vp
check "ratchet, Alice copied, next step open to the attacker (control)" c0c1c0c1a0a0 1 ratchet.vp 's/^(Alice -> Bob:) \[ct2.*/\1 ct2, ek2, e2/'
check "ratchet, Bob copied" c0c1c1c0a0a1 1 ratchet.vp '/^phase/,/leaks/{s/Alice/Bob/;s/leaks.*/leaks rk1, dk1, ck1_next/;}'
exit $failed
