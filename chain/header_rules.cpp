#include "chain/header_rules.hpp"

#include <string_view>

#include "chain/base_fee.hpp"
#include "chain/blob_fee.hpp"
#include "chain/ethash_difficulty.hpp"

namespace keel::chain {
namespace {

using core::ForkRules;
using core::Header;
using core::U256;
using Checked = core::Result<void, Rejection>;

constexpr size_t kExtraDataBytesMax = 32;                        // yellow paper, 4.3.4
constexpr uint64_t kGasLimitMin = 5'000;                         // yellow paper, 4.3.4
constexpr uint64_t kGasLimitMax = 0x7fff'ffff'ffff'ffff;         // EIP-4803
constexpr uint64_t kGasLimitBoundDivisor = 1'024;                // yellow paper, 4.3.4
constexpr uint64_t kDaoForkExtraBlocks = 10;                     // EIP-779
constexpr std::string_view kDaoForkExtraData = "dao-hard-fork";  // EIP-779

template <Verdict verdict, class... Args>
core::unexpected<Rejection> refuse(const Args&... args) {
    return core::unexpected(reject<verdict>(args...));
}

// EIP-779: the first ten blocks of the fork say on which side they are.
Checked check_dao_extra_data(const Header& header, const ChainConfig& config) {
    if (!config.dao || header.number < *config.dao ||
        header.number - *config.dao >= kDaoForkExtraBlocks) {
        return {};
    }
    const core::ByteView extra_data(header.extra_data);
    if ((extra_data == core::ByteView(kDaoForkExtraData)) == config.dao_support) return {};
    return refuse<Verdict::ExtraDataDao>(config.dao_support ? "pro" : "no", extra_data);
}

// Which of the two kinds of block this one must be (EIP-3675), and the form of the kind.
Checked check_merge(const Header& header, const ForkRules& rules, bool proof_of_stake) {
    if (!proof_of_stake) {
        if (header.difficulty.is_zero()) {
            return refuse<Verdict::ProofOfStakeBeforeMerge>("difficulty 0");
        }
        // A fork by time is one of proof-of-stake chains: no block can be right here.
        if (rules.eip_3675) {
            return refuse<Verdict::ProofOfStakeBeforeMerge>(core::to_string(rules.fork));
        }
        return {};
    }
    if (!header.difficulty.is_zero()) {
        return refuse<Verdict::ProofOfWorkAfterMerge>(header.difficulty);
    }
    if (!header.nonce.is_zero()) return refuse<Verdict::NonceNotZero>(header.nonce);
    if (header.ommers_hash != core::kEmptyOmmersHash) {
        return refuse<Verdict::OmmersAfterMerge>(header.ommers_hash, core::kEmptyOmmersHash);
    }
    return {};
}

// The distance from the parent's limit comes first: of two faults of a header it is the one that
// test tools name.
Checked check_gas_limits(const Header& header, const Header& parent, const ForkRules& rules,
                         const HeaderChecks& checks) {
    // EIP-1559: the limit doubles where its half becomes the target.
    uint64_t parent_limit = parent.gas_limit;
    if (rules.eip_1559 && !parent.base_fee) parent_limit *= kElasticityMultiplier;
    const uint64_t bound = parent_limit / kGasLimitBoundDivisor;
    const uint64_t distance = header.gas_limit > parent_limit ? header.gas_limit - parent_limit
                                                              : parent_limit - header.gas_limit;
    if (checks.gas_limit_step && distance >= bound) {
        return refuse<Verdict::GasLimitOutOfBounds>(header.gas_limit, parent_limit,
                                                    bound == 0 ? 0 : bound - 1);
    }
    if (header.gas_limit < kGasLimitMin) {
        return refuse<Verdict::GasLimitBelowMin>(header.gas_limit, kGasLimitMin);
    }
    if (header.gas_limit > kGasLimitMax) {
        return refuse<Verdict::GasLimitAboveMax>(header.gas_limit, kGasLimitMax);
    }
    if (header.gas_used > header.gas_limit) {
        return refuse<Verdict::GasUsedAboveLimit>(header.gas_used, header.gas_limit);
    }
    return {};
}

Checked check_difficulty(const Header& header, const Header& parent, const ForkRules& rules) {
    const U256 want =
        ethash_difficulty({.number = header.number,
                           .timestamp = header.timestamp,
                           .parent_timestamp = parent.timestamp,
                           .parent_difficulty = parent.difficulty,
                           .parent_has_ommers = parent.ommers_hash != core::kEmptyOmmersHash},
                          rules);
    if (header.difficulty != want) return refuse<Verdict::Difficulty>(header.difficulty, want);
    return {};
}

Checked check_base_fee(const Header& header, const Header& parent, const ForkRules& rules,
                       const HeaderChecks& checks) {
    if (!rules.eip_1559) {
        if (header.base_fee) return refuse<Verdict::HeaderFields>("unexpected baseFee");
        return {};
    }
    if (!header.base_fee) return refuse<Verdict::HeaderFields>("header is missing baseFee");
    const U256 want = parent.base_fee
                          ? next_base_fee(*parent.base_fee, parent.gas_limit, parent.gas_used)
                          : U256(kInitialBaseFee);
    if (checks.base_fee && *header.base_fee != want) {
        return refuse<Verdict::BaseFee>(*header.base_fee, want, parent.base_fee.value_or(U256()),
                                        parent.gas_used);
    }
    return {};
}

Checked check_fields(const Header& header, const ForkRules& rules) {
    struct Field {
        bool present, wanted;
        const char* missing;
        const char* unexpected;
    };
    const Field fields[] = {
        {header.withdrawals_root.has_value(), rules.eip_4895, "missing withdrawalsHash",
         "unexpected withdrawalsHash"},
        {header.excess_blob_gas.has_value(), rules.eip_4844, "header is missing excessBlobGas",
         "unexpected excessBlobGas"},
        {header.blob_gas_used.has_value(), rules.eip_4844, "header is missing blobGasUsed",
         "unexpected blobGasUsed"},
        {header.parent_beacon_root.has_value(), rules.eip_4788, "header is missing beaconRoot",
         "unexpected beaconRoot"},
        {header.requests_hash.has_value(), rules.eip_7685, "header is missing requestsHash",
         "unexpected requestsHash"},
    };
    for (const Field& field : fields) {
        if (field.present == field.wanted) continue;
        return refuse<Verdict::HeaderFields>(field.wanted ? field.missing : field.unexpected);
    }
    return {};
}

// The fields are there. Whether blobGasUsed is that of the transactions, and with it a multiple of
// the gas of a blob, is for body_rules.
Checked check_blob_gas(const Header& header, const Header& parent, const BlockRules& block) {
    if (!block.rules.eip_4844) return {};
    const uint64_t max = block.blobs.max * kGasPerBlob;
    if (*header.blob_gas_used > max) {
        return refuse<Verdict::BlobGasUsedAboveMax>(*header.blob_gas_used, max);
    }
    const BlobParent blob_parent{parent.excess_blob_gas.value_or(0),
                                 parent.blob_gas_used.value_or(0),
                                 parent.base_fee.value_or(U256())};
    const uint64_t want = next_excess_blob_gas(blob_parent, block.blobs, block.rules.eip_7918);
    if (*header.excess_blob_gas != want) {
        return refuse<Verdict::ExcessBlobGas>(
            *header.excess_blob_gas, want, blob_parent.excess_blob_gas, blob_parent.blob_gas_used);
    }
    return {};
}

}  // namespace

Checked check_header(const Header& header, const Header& parent, const BlockRules& block,
                     const ForkSchedule& schedule, bool proof_of_stake,
                     const HeaderChecks& checks) {
    const ForkRules& rules = block.rules;
    if (const auto fork = schedule.unsupported_at(header.timestamp)) {
        return refuse<Verdict::ForkNotSupported>(*fork);
    }
    if (header.timestamp <= parent.timestamp) {
        return refuse<Verdict::Timestamp>(header.timestamp, parent.timestamp);
    }
    if (header.extra_data.size() > kExtraDataBytesMax) {
        return refuse<Verdict::ExtraDataTooLong>(header.extra_data.size(),
                                                 header.extra_data.size());
    }
    if (auto checked = check_dao_extra_data(header, schedule.config()); !checked) return checked;
    if (parent.number == UINT64_MAX || header.number != parent.number + 1) {
        return refuse<Verdict::BlockNumber>(header.number, parent.number + 1);
    }
    if (auto checked = check_merge(header, rules, proof_of_stake); !checked) return checked;
    if (auto checked = check_gas_limits(header, parent, rules, checks); !checked) return checked;
    if (!proof_of_stake) {
        if (auto checked = check_difficulty(header, parent, rules); !checked) return checked;
    }
    if (auto checked = check_base_fee(header, parent, rules, checks); !checked) return checked;
    if (auto checked = check_fields(header, rules); !checked) return checked;
    return check_blob_gas(header, parent, block);
}

}  // namespace keel::chain
