#include "chain/tx_rules.hpp"

#include <algorithm>

#include "core/u256.hpp"
#include "evm/call.hpp"
#include "evm/gas.hpp"

namespace keel::chain {
namespace {

using core::Address;
using core::Tx;
using core::TxType;
using core::U256;
using Checked = core::Result<void, Rejection>;

// Source of the gas: yellow paper, appendix G, where nothing else is said.
constexpr uint64_t kTxGas = 21'000;
constexpr uint64_t kTxCreateGas = 32'000;  // EIP-2
constexpr uint64_t kZeroByteGas = 4;
constexpr uint64_t kNonZeroByteGasFrontier = 68;
constexpr uint64_t kNonZeroByteGas = 16;           // EIP-2028
constexpr uint64_t kInitCodeWordGas = 2;           // EIP-3860
constexpr uint64_t kAccessListAddressGas = 2'400;  // EIP-2930
constexpr uint64_t kAccessListKeyGas = 1'900;      // EIP-2930
constexpr uint64_t kAuthorizationGas = 25'000;     // EIP-7702: PER_EMPTY_ACCOUNT_COST
constexpr uint64_t kFloorTokenGas = 10;            // EIP-7623: TOTAL_COST_FLOOR_PER_TOKEN
constexpr uint64_t kTokensPerNonZeroByte = 4;      // EIP-7623
constexpr uint64_t kTxGasMax = 16'777'216;         // EIP-7825
constexpr uint64_t kBlobsPerTxMax = 6;             // EIP-7594
constexpr uint8_t kBlobHashVersion = 0x01;         // EIP-4844: VERSIONED_HASH_VERSION_KZG

template <Verdict verdict, class... Args>
core::unexpected<Rejection> refuse(const Args&... args) {
    return core::unexpected(reject<verdict>(args...));
}

Checked check_type(const Tx& tx, const core::ForkRules& rules) {
    bool known = true;
    switch (tx.type) {
        case TxType::Legacy:
            break;
        case TxType::AccessList:
            known = rules.eip_2930;
            break;
        case TxType::DynamicFee:
            known = rules.eip_1559;
            break;
        case TxType::Blob:
            known = rules.eip_4844;
            break;
        case TxType::SetCode:
            known = rules.eip_7702;
            break;
    }
    if (!known) return refuse<Verdict::TxTypeNotSupported>();
    // The two faults that cannot be in bytes which decode.
    if (!tx.to && tx.type == TxType::Blob) return refuse<Verdict::TxBlobCreate>();
    if (!tx.to && tx.type == TxType::SetCode) return refuse<Verdict::TxSetCodeCreate>();
    return {};
}

Checked check_gas_cap(const Tx& tx, const core::ForkRules& rules) {
    if (rules.eip_7825 && tx.gas > kTxGasMax) {
        return refuse<Verdict::TxGasLimitTooHigh>(kTxGasMax, tx.gas);
    }
    return {};
}

Checked check_blob_hashes(const Tx& tx, const core::ForkRules& rules) {
    if (tx.type != TxType::Blob) return {};
    if (tx.blob_hashes.empty()) return refuse<Verdict::TxNoBlobs>();
    if (rules.eip_7594 && tx.blob_hashes.size() > kBlobsPerTxMax) {
        return refuse<Verdict::TxTooManyBlobs>(tx.blob_hashes.size(), kBlobsPerTxMax);
    }
    for (size_t i = 0; i < tx.blob_hashes.size(); ++i) {
        if (tx.blob_hashes[i][0] != kBlobHashVersion) return refuse<Verdict::TxBlobHashVersion>(i);
    }
    return {};
}

Checked check_blob_gas(const Tx& tx, uint64_t blob_gas_left) {
    const uint64_t blob_gas = tx.blob_hashes.size() * kGasPerBlob;
    if (blob_gas > blob_gas_left) {
        return refuse<Verdict::TxBlobGasAboveAllowance>(blob_gas, blob_gas_left);
    }
    return {};
}

Checked check_priority_fee(const Tx& tx, const Address& sender) {
    if (tx.max_priority_fee > tx.max_fee) {
        return refuse<Verdict::TxPriorityAboveMaxFee>(sender, tx.max_priority_fee, tx.max_fee);
    }
    return {};
}

Checked check_authorizations(const Tx& tx, const Address& sender) {
    if (tx.type == TxType::SetCode && tx.authorizations.empty()) {
        return refuse<Verdict::TxNoAuthorizations>(sender);
    }
    return {};
}

Checked check_intrinsic_gas(const Tx& tx, const core::ForkRules& rules) {
    const IntrinsicGas intrinsic = intrinsic_gas(tx, rules);
    if (tx.gas < intrinsic.gas) return refuse<Verdict::TxIntrinsicGas>(tx.gas, intrinsic.gas);
    if (tx.gas < intrinsic.floor) return refuse<Verdict::TxFloorGas>(tx.gas, intrinsic.floor);
    return {};
}

Checked check_init_code(const Tx& tx, const core::ForkRules& rules) {
    if (rules.eip_3860 && !tx.to && tx.data.size() > evm::kMaxInitCode) {
        return refuse<Verdict::TxInitCodeTooLarge>(tx.data.size(), evm::kMaxInitCode);
    }
    return {};
}

Checked check_nonce(const Tx& tx, const Address& sender, uint64_t nonce) {
    if (nonce < tx.nonce) return refuse<Verdict::TxNonceTooHigh>(sender, tx.nonce, nonce);
    if (nonce > tx.nonce) return refuse<Verdict::TxNonceTooLow>(sender, tx.nonce, nonce);
    // EIP-2681
    if (nonce == UINT64_MAX) return refuse<Verdict::TxNonceIsMax>(sender, nonce);
    return {};
}

// EIP-3607, with the exception of EIP-7702.
Checked check_sender_is_eoa(const Address& sender, const core::ForkRules& rules,
                            state::Journal& journal) {
    const core::ByteView code = journal.code(sender);
    if (code.empty() || (rules.eip_7702 && evm::delegate_of(code))) return {};
    return refuse<Verdict::TxSenderNotEoa>(sender, code.size());
}

Checked check_fees(const Tx& tx, const Address& sender, const U256& base_fee, bool zero_is_free) {
    if (zero_is_free && tx.max_fee.is_zero() && tx.max_priority_fee.is_zero()) return {};
    if (auto checked = check_priority_fee(tx, sender); !checked) return checked;
    if (tx.max_fee < base_fee) {
        return refuse<Verdict::TxMaxFeeBelowBaseFee>(sender, tx.max_fee, base_fee);
    }
    return {};
}

Checked check_blob_fee(const Tx& tx, const Address& sender, const U256& blob_base_fee,
                       bool zero_is_free) {
    if (tx.type != TxType::Blob) return {};
    if (zero_is_free && tx.max_fee_per_blob_gas.is_zero()) return {};
    if (tx.max_fee_per_blob_gas < blob_base_fee) {
        return refuse<Verdict::TxBlobFeeTooLow>(sender, tx.max_fee_per_blob_gas, blob_base_fee);
    }
    return {};
}

// What the sender must have: gas and blob gas at the highest prices, and the value.
Checked check_balance(const Tx& tx, const Address& sender, state::Journal& journal) {
    const auto gas_cost = core::checked_mul(tx.max_fee, tx.gas);
    if (!gas_cost) return refuse<Verdict::TxFeeOverflow>(tx.gas, tx.max_fee);
    const auto blob_cost =
        core::checked_mul(tx.max_fee_per_blob_gas, U256(tx.blob_hashes.size() * kGasPerBlob));
    auto want = core::checked_add(*gas_cost, tx.value);
    if (want && blob_cost) want = core::checked_add(*want, *blob_cost);
    const U256 have = journal.balance(sender);
    if (!want || !blob_cost) {
        return refuse<Verdict::TxInsufficientFunds>(sender, have, "more than 256 bits");
    }
    if (have < *want) return refuse<Verdict::TxInsufficientFunds>(sender, have, *want);
    return {};
}

}  // namespace

IntrinsicGas intrinsic_gas(const Tx& tx, const core::ForkRules& rules) noexcept {
    const auto zeros = static_cast<uint64_t>(std::ranges::count(tx.data, uint8_t{0}));
    const uint64_t non_zeros = tx.data.size() - zeros;
    // All counts are those of items in memory, below 2^40: no sum overflows.
    uint64_t gas = kTxGas + zeros * kZeroByteGas +
                   non_zeros * (rules.eip_2028 ? kNonZeroByteGas : kNonZeroByteGasFrontier);
    if (!tx.to) {
        if (rules.eip_2) gas += kTxCreateGas;
        if (rules.eip_3860) gas += (tx.data.size() + 31) / 32 * kInitCodeWordGas;
    }
    for (const core::AccessListEntry& entry : tx.access_list) {
        gas += kAccessListAddressGas + entry.keys.size() * kAccessListKeyGas;
    }
    gas += tx.authorizations.size() * kAuthorizationGas;
    uint64_t floor = 0;
    if (rules.eip_7623) {
        floor = kTxGas + (zeros + non_zeros * kTokensPerNonZeroByte) * kFloorTokenGas;
    }
    return {gas, floor};
}

Checked check_tx_alone(const Tx& tx, const BlockRules& block) {
    const Address unknown;  // the texts name a sender
    if (auto checked = check_type(tx, block.rules); !checked) return checked;
    // EIP-2681
    if (tx.nonce == UINT64_MAX) return refuse<Verdict::TxNonceIsMax>(unknown, tx.nonce);
    if (auto checked = check_gas_cap(tx, block.rules); !checked) return checked;
    if (!core::checked_mul(tx.max_fee, tx.gas)) {
        return refuse<Verdict::TxFeeOverflow>(tx.gas, tx.max_fee);
    }
    if (auto checked = check_priority_fee(tx, unknown); !checked) return checked;
    if (auto checked = check_blob_hashes(tx, block.rules); !checked) return checked;
    if (auto checked = check_blob_gas(tx, block.blobs.max * kGasPerBlob); !checked) return checked;
    if (auto checked = check_authorizations(tx, unknown); !checked) return checked;
    if (auto checked = check_intrinsic_gas(tx, block.rules); !checked) return checked;
    return check_init_code(tx, block.rules);
}

Checked check_tx(const Tx& tx, const Address& sender, const BlockRules& block, const TxRoom& room,
                 state::Journal& journal, const TxChecks& checks) {
    const core::ForkRules& rules = block.rules;
    if (auto checked = check_type(tx, rules); !checked) return checked;
    if (tx.chain_id && *tx.chain_id != U256(room.chain_id)) {
        return refuse<Verdict::TxWrongChainId>(*tx.chain_id, room.chain_id);
    }
    if (checks.nonce) {
        if (auto checked = check_nonce(tx, sender, journal.nonce(sender)); !checked) return checked;
    }
    if (checks.gas_cap) {
        if (auto checked = check_gas_cap(tx, rules); !checked) return checked;
    }
    if (checks.sender_is_eoa) {
        if (auto checked = check_sender_is_eoa(sender, rules, journal); !checked) return checked;
    }
    if (auto checked = check_fees(tx, sender, room.base_fee, !checks.base_fee); !checked) {
        return checked;
    }
    if (auto checked = check_blob_hashes(tx, rules); !checked) return checked;
    if (auto checked = check_blob_gas(tx, room.blob_gas_left); !checked) return checked;
    if (auto checked = check_blob_fee(tx, sender, room.blob_base_fee, !checks.base_fee); !checked) {
        return checked;
    }
    if (auto checked = check_authorizations(tx, sender); !checked) return checked;
    if (checks.balance) {
        if (auto checked = check_balance(tx, sender, journal); !checked) return checked;
    }
    if (tx.gas > room.gas_left) return refuse<Verdict::TxGasLimitReached>(room.gas_left, tx.gas);
    if (auto checked = check_intrinsic_gas(tx, rules); !checked) return checked;
    return check_init_code(tx, rules);
}

Rejection reject_undecodable(size_t tx_index, core::ByteView raw, core::RlpError error) {
    // Places in the lists of EIP-4844 and EIP-7702.
    constexpr size_t kRecipient = 5;
    const bool is_blob = !raw.empty() && raw[0] == static_cast<uint8_t>(TxType::Blob);
    const bool is_set_code = !raw.empty() && raw[0] == static_cast<uint8_t>(TxType::SetCode);
    if (is_blob || is_set_code) {
        auto fields = core::rlp_outer_list(raw.sub(1));
        // The network form is a list of the transaction, which is a list, and its sidecar.
        if (is_blob && fields && fields->next_is_list()) {
            return reject<Verdict::TxBlobSidecar>(tx_index);
        }
        bool readable = fields.has_value();
        for (size_t i = 0; readable && i < kRecipient; ++i) readable = fields->item().has_value();
        if (const auto to = readable ? fields->string() : core::unexpected(error);
            to && to->empty()) {
            return in_undecodable_tx(tx_index, is_blob ? reject<Verdict::TxBlobCreate>()
                                                       : reject<Verdict::TxSetCodeCreate>());
        }
    }
    return in_undecodable_tx(tx_index, reject<Verdict::TxUndecodable>(core::to_string(error)));
}

}  // namespace keel::chain
