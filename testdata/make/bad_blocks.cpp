#include "testdata/make/bad_blocks.hpp"

#include <functional>
#include <map>
#include <memory>

#include "chain/blob_fee.hpp"
#include "chain/verdict.hpp"
#include "testdata/make/cast.hpp"
#include "testdata/make/main_chain.hpp"

namespace keel::testdata {
namespace {

using chain::Verdict;
using core::TxType;
using core::U256;

constexpr uint64_t kTooMuchGas = (1 << 24) + 1;  // EIP-7825

void flip(core::Hash32& hash) {
    hash[31] ^= 1;
}

// Makes bad blocks of good ones.
class BadBlockMaker {
  public:
    explicit BadBlockMaker(const ChainMaker& main) : main_(main) {}

    using Spoil = std::function<void(BlockParts& parts, const ChainMaker& chain)>;

    /// Spoils a good child of block `parent` of the main chain. `text`: none for the words of the
    /// verdict's pattern up to its first figure.
    void spoil(Verdict verdict, uint64_t parent, const Spoil& change, std::string text = "") {
        const ChainMaker& chain = at(parent);
        BlockParts parts = good_child(chain);
        change(parts, chain);
        keep(verdict, std::move(text), parts.header.number, encode(parts));
    }

    /// A good child of block `parent`, with one transaction more that is bad. Its blobs are
    /// counted.
    void spoil_tx(Verdict verdict, uint64_t parent, const Signer& from, TxPlan tx,
                  std::string text = "") {
        const ChainMaker& chain = at(parent);
        Draft draft(chain, at::time_of(parent + 1));
        fill(draft, chain);
        BlockParts parts = chain.make(draft.plan);
        if (!tx.nonce) tx.nonce = draft.next_nonce(from.address);
        add_raw_tx(parts, sign_tx(from, tx), tx.blob_hashes.size());
        keep(verdict, std::move(text), parts.header.number, encode(parts));
    }

    static void add_raw_tx(BlockParts& parts, core::Bytes raw, size_t blobs) {
        parts.txs.push_back(std::move(raw));
        if (parts.header.blob_gas_used) {
            *parts.header.blob_gas_used += blobs * chain::kGasPerBlob;
        }
        put_body_roots(parts);
    }

    void keep(Verdict verdict, std::string text, uint64_t number, core::Bytes rlp) {
        if (text.empty()) {
            const std::string_view pattern = chain::pattern_of(verdict);
            text = pattern.substr(0, pattern.find('{'));
        }
        bad.push_back({.verdict = std::string(chain::to_string(verdict)),
                       .text = std::move(text),
                       .genesis = "main.json",
                       .flag = "",
                       .number = number,
                       .rlp = std::move(rlp)});
    }

    std::vector<BadBlock> bad;

  private:
    const ChainMaker& at(uint64_t number) {
        if (number == main_.number()) return main_;
        auto& chain = chains_[number];
        if (!chain) chain = main_.up_to(number);
        return *chain;
    }
    static void fill(Draft& draft, const ChainMaker& chain) {
        const core::ForkRules rules = chain.rules_at(draft.plan.timestamp).rules;
        constexpr uint64_t kSalt = 99;  // another block than that of the main chain
        add_surroundings(draft, rules, chain.number() + 1, kSalt);
        add_ordinary_txs(draft, rules, chain.number() + 1, kSalt);
    }
    static BlockParts good_child(const ChainMaker& chain) {
        Draft draft(chain, at::time_of(chain.number() + 1));
        fill(draft, chain);
        return chain.make(draft.plan);
    }

    const ChainMaker& main_;
    std::map<uint64_t, std::unique_ptr<ChainMaker>> chains_;
};

// ---- Transactions -----------------------------------------------------------------------------

void add_bad_txs(BadBlockMaker& maker) {
    const Cast& all = cast();
    const core::Address to = all.bob.address;
    const uint64_t head = at::kHead;
    const auto bad_tx = [&](Verdict verdict, TxPlan tx) {
        maker.spoil_tx(verdict, head, all.alice, std::move(tx));
    };
    maker.spoil_tx(
        Verdict::TxTypeNotSupported, at::kPrague - 2, all.alice,
        {.type = TxType::SetCode, .to = to, .authorizations = {authorize(all.authority, to, 0)}});
    bad_tx(Verdict::TxBadSignature, {.to = to, .r = U256(0)});
    bad_tx(Verdict::TxWrongChainId,
           {.type = TxType::DynamicFee, .to = to, .chain_id = kChainId + 1});
    maker.spoil_tx(Verdict::TxSenderNotEoa, head, all.coded, {.to = to});
    bad_tx(Verdict::TxGasLimitTooHigh, {.to = to, .gas = kTooMuchGas});
    bad_tx(Verdict::TxNonceTooLow, {.to = to, .nonce = 0});
    bad_tx(Verdict::TxNonceTooHigh, {.to = to, .nonce = 1'000'000});
    maker.spoil_tx(Verdict::TxNonceIsMax, head, all.last_nonce, {.to = to, .nonce = UINT64_MAX});
    bad_tx(Verdict::TxPriorityAboveMaxFee, {.type = TxType::DynamicFee,
                                            .to = to,
                                            .max_fee = U256(kGwei),
                                            .max_priority_fee = U256(kGwei + 1)});
    bad_tx(Verdict::TxMaxFeeBelowBaseFee, {.to = to, .max_fee = U256(1)});
    bad_tx(Verdict::TxFeeOverflow, {.to = to, .max_fee = U256(1) << 250});
    bad_tx(Verdict::TxNoBlobs, {.type = TxType::Blob, .to = to});
    bad_tx(Verdict::TxTooManyBlobs,
           {.type = TxType::Blob, .to = to, .blob_hashes = blob_hashes(7, 1)});
    std::vector<core::Hash32> hashes = blob_hashes(2, 1);
    hashes[1][0] = 0x02;
    bad_tx(Verdict::TxBlobHashVersion, {.type = TxType::Blob, .to = to, .blob_hashes = hashes});
    bad_tx(Verdict::TxBlobFeeTooLow, {.type = TxType::Blob,
                                      .to = to,
                                      .blob_hashes = blob_hashes(1, 1),
                                      .max_fee_per_blob_gas = U256(0)});
    bad_tx(Verdict::TxBlobCreate, {.type = TxType::Blob, .blob_hashes = blob_hashes(1, 1)});
    bad_tx(Verdict::TxSetCodeCreate,
           {.type = TxType::SetCode, .authorizations = {authorize(all.authority, to, 0)}});
    bad_tx(Verdict::TxNoAuthorizations, {.type = TxType::SetCode, .to = to});
    bad_tx(Verdict::TxInitCodeTooLarge, {.data = core::Bytes(49'153), .gas = 1'000'000});
    bad_tx(Verdict::TxIntrinsicGas, {.to = to, .gas = 20'999});
    bad_tx(Verdict::TxFloorGas, {.to = to, .data = core::Bytes(1'000, 1), .gas = 50'000});
    maker.spoil_tx(Verdict::TxGasLimitReached, at::kPrague + 2, all.alice,
                   {.to = to, .gas = 30'000'000});
    maker.spoil_tx(Verdict::TxInsufficientFunds, head, all.poor, {.to = to, .value = kEther});
    maker.spoil(Verdict::TxUndecodable, head, [](BlockParts& parts, const ChainMaker&) {
        BadBlockMaker::add_raw_tx(parts, {0x02, 0xc0}, 0);
    });
    maker.spoil(Verdict::TxBlobSidecar, head, [&](BlockParts& parts, const ChainMaker& chain) {
        // The form of the network: [transaction, blobs, commitments, proofs] behind the type.
        const core::Bytes tx = sign_tx(all.dave, {.type = TxType::Blob,
                                                  .to = to,
                                                  .nonce = chain.nonce(all.dave.address),
                                                  .blob_hashes = blob_hashes(1, 1)});
        core::Bytes wrapped{tx[0]};
        const size_t begin = core::rlp_begin_list(wrapped);
        core::append(wrapped, core::ByteView(tx).sub(1));
        core::append(wrapped, core::Bytes{0xc0, 0xc0, 0xc0});
        core::rlp_end_list(wrapped, begin);
        BadBlockMaker::add_raw_tx(parts, std::move(wrapped), 1);
    });
    core::Bytes deposit = deposit_data(9, kGwei);
    deposit[31] = 0xa1;  // offset of the first field, 160 in a right one
    bad_tx(Verdict::DepositLayout, {.to = contract::deposit(), .data = deposit});
}

// ---- Headers ----------------------------------------------------------------------------------

void add_bad_headers(BadBlockMaker& maker) {
    constexpr uint64_t kWork = at::kMuirGlacier;  // a parent before the merge
    const auto header = [&](Verdict verdict, uint64_t parent,
                            const std::function<void(core::Header&)>& change,
                            std::string text = "") {
        maker.spoil(
            verdict, parent, [&](BlockParts& parts, const ChainMaker&) { change(parts.header); },
            std::move(text));
    };
    using core::Header;
    header(Verdict::UnknownAncestor, at::kHead, [](Header& h) { flip(h.parent_hash); });
    header(Verdict::BlockNumber, at::kHead, [](Header& h) { ++h.number; });
    header(Verdict::Timestamp, at::kHead, [](Header& h) { h.timestamp -= at::kSeconds; });
    header(Verdict::ExtraDataTooLong, at::kHead, [](Header& h) { h.extra_data.resize(33); });
    header(
        Verdict::ExtraDataDao, at::kDao + 1, [](Header& h) { h.extra_data[0] ^= 1; },
        "bad DAO pro-fork extra-data");
    header(Verdict::GasUsedAboveLimit, at::kHead, [](Header& h) { h.gas_used = h.gas_limit + 1; });
    header(Verdict::GasLimitOutOfBounds, at::kHead,
           [](Header& h) { h.gas_limit += h.gas_limit / 1024; });
    header(Verdict::BaseFee, at::kHead, [](Header& h) { *h.base_fee += U256(1); });
    header(
        Verdict::HeaderFields, at::kHead, [](Header& h) { h.requests_hash.reset(); },
        "header is missing requestsHash");
    header(Verdict::Difficulty, kWork, [](Header& h) { h.difficulty += U256(1); });
    header(Verdict::ProofOfWorkAfterMerge, at::kHead,
           [](Header& h) { h.difficulty = U256(131'072); });
    header(Verdict::ProofOfStakeBeforeMerge, kWork, [](Header& h) { h.difficulty = U256(); });
    header(Verdict::NonceNotZero, at::kHead, [](Header& h) { h.nonce[7] = 1; });
    header(Verdict::BlobGasUsedAboveMax, at::kHead,
           [](Header& h) { h.blob_gas_used = 22 * chain::kGasPerBlob; });
    header(Verdict::ExcessBlobGas, at::kHead,
           [](Header& h) { *h.excess_blob_gas += chain::kGasPerBlob; });
    // What execution leads to, claimed otherwise.
    header(Verdict::GasUsed, at::kHead, [](Header& h) { ++h.gas_used; });
    header(Verdict::Bloom, at::kHead, [](Header& h) { h.bloom[0] ^= 1; });
    header(Verdict::ReceiptsRoot, at::kHead, [](Header& h) { flip(h.receipts_root); });
    header(Verdict::RequestsHash, at::kHead, [](Header& h) { flip(*h.requests_hash); });
    header(Verdict::StateRoot, at::kHead, [](Header& h) { flip(h.state_root); });
    // And of the body.
    header(Verdict::TxRoot, at::kHead, [](Header& h) { flip(h.tx_root); });
    header(Verdict::WithdrawalsRoot, at::kHead, [](Header& h) { flip(*h.withdrawals_root); });
    header(Verdict::BlobGasUsed, at::kHead,
           [](Header& h) { h.blob_gas_used = chain::kGasPerBlob; });
}

// ---- Bodies -----------------------------------------------------------------------------------

void add_bad_bodies(BadBlockMaker& maker) {
    constexpr uint64_t kParent = at::kBerlin;
    const auto ommer = [](const ChainMaker& chain, uint64_t parent) {
        return chain.make_ommer(parent, at::time_of(parent + 1) + 3, address_named("late"));
    };
    const auto with_ommers =
        [&](Verdict verdict,
            const std::function<std::vector<core::Header>(const ChainMaker&)>& ommers) {
            maker.spoil(verdict, kParent, [&](BlockParts& parts, const ChainMaker& chain) {
                parts.ommers = ommers(chain);
                put_body_roots(parts);
            });
        };
    using Ommers = std::vector<core::Header>;
    with_ommers(Verdict::TooManyOmmers, [&](const ChainMaker& chain) {
        return Ommers{ommer(chain, kParent - 1), ommer(chain, kParent - 2),
                      ommer(chain, kParent - 3)};
    });
    with_ommers(Verdict::OmmerDuplicate, [&](const ChainMaker& chain) {
        return Ommers{ommer(chain, kParent - 1), ommer(chain, kParent - 1)};
    });
    with_ommers(Verdict::OmmerIsAncestor,
                [&](const ChainMaker& chain) { return Ommers{chain.block(kParent - 1).header}; });
    with_ommers(Verdict::OmmerDangling, [&](const ChainMaker& chain) {
        return Ommers{ommer(chain, kParent)};  // a sister of the block itself
    });
    with_ommers(Verdict::OmmerHeader, [&](const ChainMaker& chain) {
        Ommers ommers{ommer(chain, kParent - 1)};
        ommers[0].difficulty += U256(1);
        return ommers;
    });
    maker.spoil(Verdict::OmmersHash, kParent, [&](BlockParts& parts, const ChainMaker& chain) {
        parts.ommers = {ommer(chain, kParent - 1)};
    });
    maker.spoil(Verdict::OmmersAfterMerge, at::kHead,
                [&](BlockParts& parts, const ChainMaker& chain) {
                    parts.ommers = {ommer(chain, at::kHead - 1)};
                    put_body_roots(parts);
                });
    maker.spoil(Verdict::WithdrawalsMissing, at::kHead,
                [](BlockParts& parts, const ChainMaker&) { parts.withdrawals.reset(); });
    maker.spoil(Verdict::WithdrawalsUnexpected, at::kMerge,
                [](BlockParts& parts, const ChainMaker&) { parts.withdrawals.emplace(); });

    // A header that is an empty list.
    core::Bytes undecodable;
    const size_t begin = core::rlp_begin_list(undecodable);
    core::append(undecodable, core::Bytes{0xc0, 0xc0, 0xc0, 0xc0});
    core::rlp_end_list(undecodable, begin);
    maker.keep(Verdict::BlockUndecodable, "", at::kHead + 1, undecodable);
}

// ---- Other genesis files ----------------------------------------------------------------------

constexpr const char* kNoContract = "no-withdrawal-requests.json";
constexpr const char* kRevertingContract = "reverting-consolidation-requests.json";
constexpr const char* kAmsterdam = "amsterdam.json";
constexpr const char* kLowGasLimit = "low-gas-limit.json";
constexpr const char* kHighGasLimit = "high-gas-limit.json";
constexpr uint64_t kGasLimitMax = INT64_MAX;  // EIP-4803

// Block 1 of a chain that begins with Osaka, moved onto another genesis.
BadBlock on_genesis(Verdict verdict, const char* file, const GenesisChoices& good,
                    const GenesisChoices& choices, std::optional<uint64_t> gas_limit = {}) {
    const ChainMaker chain(genesis_json(good));
    Draft draft(chain, at::kSeconds);
    draft.plan.gas_limit = gas_limit;
    BlockParts parts = chain.make(draft.plan);
    parts.header.parent_hash = ChainMaker(genesis_json(choices)).head_hash();
    const std::string_view pattern = chain::pattern_of(verdict);
    return {.verdict = std::string(chain::to_string(verdict)),
            .text = std::string(pattern.substr(0, pattern.find('{'))),
            .genesis = file,
            .after_main = false,
            .flag = "",
            .number = 1,
            .rlp = encode(parts)};
}

const GenesisChoices kOsakaFromStart{.all_forks = false};
const GenesisChoices kWithoutContract{.all_forks = false, .withdrawal_requests = "none"};
const GenesisChoices kWithReverting{.all_forks = false, .consolidation_requests = "reverting"};
const GenesisChoices kWithAmsterdam{.all_forks = false, .amsterdam_time = at::kSeconds};
const GenesisChoices kWithLowLimit{.all_forks = false, .gas_limit = 5'000};
const GenesisChoices kWithHighLimit{.all_forks = false, .gas_limit = kGasLimitMax};

}  // namespace

std::vector<SpecialGenesis> special_geneses() {
    return {{kNoContract, genesis_json(kWithoutContract)},
            {kRevertingContract, genesis_json(kWithReverting)},
            {kAmsterdam, genesis_json(kWithAmsterdam)},
            {kLowGasLimit, genesis_json(kWithLowLimit)},
            {kHighGasLimit, genesis_json(kWithHighLimit)}};
}

std::vector<BadBlock> make_bad_blocks(const ChainMaker& main) {
    BadBlockMaker maker(main);
    add_bad_txs(maker);
    add_bad_headers(maker);
    add_bad_bodies(maker);
    // Nobody has searched for the work of these blocks.
    maker.keep(Verdict::Seal, "", 1, encode(main.block(1)));
    maker.bad.back().after_main = false;
    maker.bad.back().flag = "--verify-seal";
    std::vector<BadBlock> bad = std::move(maker.bad);
    bad.push_back(
        on_genesis(Verdict::SystemContractEmpty, kNoContract, kOsakaFromStart, kWithoutContract));
    bad.push_back(
        on_genesis(Verdict::SystemCallFailed, kRevertingContract, kOsakaFromStart, kWithReverting));
    bad.push_back(
        on_genesis(Verdict::ForkNotSupported, kAmsterdam, kOsakaFromStart, kWithAmsterdam));
    bad.push_back(
        on_genesis(Verdict::GasLimitBelowMin, kLowGasLimit, kWithLowLimit, kWithLowLimit, 4'998));
    bad.push_back(on_genesis(Verdict::GasLimitAboveMax, kHighGasLimit, kWithHighLimit,
                             kWithHighLimit, kGasLimitMax + 1));
    return bad;
}

}  // namespace keel::testdata
