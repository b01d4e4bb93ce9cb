#!/bin/bash
# A script as people write them with Foundry's cast, against the node at KEEL_URL: nothing in it knows which
# node that is (KEEL_URL may be anvil's as well). Ends at the first answer that is not the expected one.
set -euo pipefail
cd "$(dirname "$0")"
export ETH_RPC_URL=$KEEL_URL FOUNDRY_DISABLE_NIGHTLY_WARNING=1
cast=node_modules/@foundry-rs/cast-linux-amd64/bin/cast
checks=0

same() { # WHAT EXPECTED GOT
  checks=$((checks + 1))
  [ "${2,,}" = "${3,,}" ] || { echo "cast: $1: expected $2, got $3" >&2; exit 1; }
}
has() { # WHAT PATTERN TEXT
  checks=$((checks + 1))
  grep -qE -- "$2" <<< "$3" || { echo "cast: $1: no \"$2\" in: $3" >&2; exit 1; }
}
fails() { # WHAT PATTERN COMMAND...
  local what=$1 pattern=$2 said
  shift 2
  if said=$("$@" 2>&1); then echo "cast: $what: did not fail" >&2; exit 1; fi
  has "$what" "$pattern" "$said"
}
field() { # NAME of a JSON object on standard input
  node -pe "const v = JSON.parse(require('fs').readFileSync(0))['$1']; v === null ? '' : v"
}

# The eighth and ninth account of the field's test phrase.
phrase="test test test test test test test test test test test junk"
key=$($cast wallet private-key "$phrase" 7)
other_key=$($cast wallet private-key "$phrase" 8)
me=$($cast wallet address --private-key "$key")
other=$($cast wallet address --private-key "$other_key")

# The chain
same "chain id" 31337 "$($cast chain-id)"
has "client" "^anvil/" "$($cast client)"
has "accounts" "$(tr '[:upper:]' '[:lower:]' <<< "$me")" "$($cast rpc eth_accounts | tr '[:upper:]' '[:lower:]')"
before=$($cast block-number)

# A transfer of each kind
nonce=$($cast nonce "$me")
balance=$($cast balance "$other")
receipt=$($cast send "$other" --value 1ether --private-key "$key" --json)
same "status" 0x1 "$(field status <<< "$receipt")"
same "type" 0x2 "$(field type <<< "$receipt")"
receipt=$($cast send "$other" --value 1ether --private-key "$key" --legacy --json)
same "type" 0x0 "$(field type <<< "$receipt")"
list='[{"address":"0x00000000000000000000000000000000000000ff","storageKeys":[]}]'
receipt=$($cast send "$other" --value 1ether --private-key "$key" --access-list "$list" --legacy --json)
same "type" 0x1 "$(field type <<< "$receipt")"
receipt=$($cast send "$other" --value 1 --from "$me" --unlocked --json)
same "signed by the node" 0x1 "$(field status <<< "$receipt")"
same "nonce" $((nonce + 4)) "$($cast nonce "$me")"
same "balance" "$(node -p "(BigInt('$balance') + 3n * 10n ** 18n + 1n).toString()")" \
  "$($cast balance "$other")"
same "a block each" $((before + 4)) "$($cast block-number)"
raw=$($cast mktx "$other" --value 7 --private-key "$key")
hash=$($cast publish "$raw" --json | field transactionHash)
same "published" 7 "$($cast tx "$hash" value)"
same "sender" "$me" "$($cast tx "$hash" from)"
fails "published again" "nonce too low|already" $cast publish "$raw"

# A contract
unlock=$(($($cast block latest -f timestamp) + 31536000))
code=$(node vault.mjs)$($cast abi-encode "f(uint256)" $unlock | cut -c3-)
receipt=$($cast send --private-key "$key" --value 1000 --json --create "$code")
vault=$(field contractAddress <<< "$receipt")
same "address" "$($cast compute-address "$me" --nonce $((nonce + 5)) | sed 's/.*: //')" "$vault"
same "owner" "$me" "$($cast call "$vault" "owner()(address)")"
same "unlock time" $unlock "$($cast call "$vault" "unlockTime()(uint256)" | cut -d' ' -f1)"
same "balance" 1000 "$($cast balance "$vault")"
same "storage 0" "$($cast to-uint256 "$me")" "$($cast storage "$vault" 0)"
same "size of the code" "$(( ($($cast code "$vault" | tr -d "\n" | wc -c) - 2) / 2))" "$($cast codesize "$vault")"
same "hash of the code" "$($cast keccak "$($cast code "$vault")")" "$($cast codehash "$vault")"
gas=$($cast estimate "$vault" "deposit()" --value 5 --from "$other")
receipt=$($cast send "$vault" "deposit()" --value 5 --private-key "$other_key" --json)
used=$(($(field gasUsed <<< "$receipt")))
[ "$gas" -ge "$used" ] && [ "$gas" -le $((used * 13 / 10)) ] || { echo "cast: estimate $gas, used $used" >&2; exit 1; }
same "deposit" 5 "$($cast call "$vault" "deposits(address)(uint256)" "$other")"
same "deposit in storage" "$($cast to-uint256 5)" "$($cast storage "$vault" "$($cast index address "$other" 2)")"
has "event" "$vault" "$($cast logs --from-block 0 --address "$vault" "Deposited(address indexed,uint256)" "$other" | tr '[:upper:]' '[:lower:]')"
proof=$($cast proof "$vault" 0 | field storageHash)
same "storage root" "$proof" "$($cast storage-root "$vault")"
has "access list" "$(tr '[:upper:]' '[:lower:]' <<< "$vault")" \
  "$($cast access-list "$vault" "deposit()" --value 1 --from "$me" | tr '[:upper:]' '[:lower:]')"

# What reverts
fails "a reason" "nothing to deposit" $cast call "$vault" "deposit()" --from "$me"
fails "an error of its own" "0x245aecd3|NotOwner" $cast call "$vault" "withdraw()" --from "$other"
fails "a panic" "0x4e487b71|divi" $cast call "$vault" "divide(uint256,uint256)" 1 0
fails "estimate" "nothing to deposit" $cast send "$vault" "deposit()" --private-key "$key"
receipt=$($cast send "$vault" "deposit()" --private-key "$key" --gas-limit 100000 --json)
same "mined all the same" 0x0 "$(field status <<< "$receipt")"

# Time and state
snapshot=$($cast rpc evm_snapshot | tr -d '"')
$cast rpc evm_setNextBlockTimestamp $((unlock + 1)) > /dev/null
$cast send "$vault" "withdraw()" --private-key "$key" > /dev/null
same "paid out" 0 "$($cast balance "$vault")"
same "reverted" true "$($cast rpc evm_revert "$snapshot")"
same "there again" 1005 "$($cast balance "$vault")"
$cast rpc anvil_setBalance "$vault" 0x2a > /dev/null
same "set" 42 "$($cast balance "$vault")"
$cast rpc anvil_setStorageAt "$vault" 0x1 "$($cast to-uint256 99)" > /dev/null
same "set" 99 "$($cast call "$vault" "unlockTime()(uint256)" | cut -d' ' -f1)"
$cast rpc anvil_impersonateAccount "$vault" > /dev/null
fails "nothing to pay gas with" "base fee" $cast send "$other" --value 40 --from "$vault" --unlocked --legacy --gas-price 0
$cast rpc anvil_setNextBlockBaseFeePerGas 0x0 > /dev/null
$cast send "$other" --value 40 --from "$vault" --unlocked --legacy --gas-price 0 > /dev/null
same "impersonated" 2 "$($cast balance "$vault")"
$cast rpc anvil_stopImpersonatingAccount "$vault" > /dev/null
number=$($cast block-number)
$cast rpc anvil_mine 0x10 > /dev/null
same "mined" $((number + 16)) "$($cast block-number)"
same "parent" "$($cast block $((number + 15)) -f hash)" "$($cast block $((number + 16)) -f parentHash)"

# What was signed
message=$($cast rpc personal_sign "$($cast from-utf8 hello)" "$me" | tr -d '"')
same "signature" "$($cast wallet sign --private-key "$key" hello)" "$message"
authority=$($cast wallet sign-auth "$vault" --private-key "$other_key")
receipt=$($cast send "$me" --auth "$authority" --private-key "$key" --json)
same "type" 0x4 "$(field type <<< "$receipt")"
same "delegated" "0xef0100${vault#0x}" "$($cast code "$other")"

echo "cast: $checks answers as expected"
