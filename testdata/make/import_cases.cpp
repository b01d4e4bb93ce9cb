#include "testdata/make/import_cases.hpp"

#include <fmt/format.h>

#include <bit>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "node/genesis_file.hpp"
#include "testdata/make/assembler.hpp"
#include "testdata/make/cast.hpp"
#include "testdata/make/chain_maker.hpp"

namespace keel::testdata {
namespace {

using core::Address;
using core::TxType;
using core::U256;
using enum evm::Op;
using Json = nlohmann::ordered_json;

constexpr uint64_t kGasLimit = 30'000'000;  // of each block
constexpr uint64_t kBlocks = 64;
constexpr uint64_t kSigners = 8'192;  // accounts that have a key and send
constexpr uint64_t kTxBaseGas = 21'000;
constexpr uint64_t kTokenTxGas = 40'000;       // limit; a transfer takes some 34,000
constexpr uint64_t kStorageTxGas = 3'000'000;  // limit, nearly all of it used
// Full blocks raise the base fee by an eighth each: 2,000 times in all.
constexpr uint64_t kMaxFee = 10'000 * kGwei;
constexpr uint64_t kLastRoundGas = 40'000;          // a round of the storage contract takes less
constexpr uint64_t kHolding = 1'000'000'000;        // tokens of each account
constexpr uint64_t kEmptySlotEvery = 8;             // one slot in so many is empty at genesis
constexpr uint32_t kTransferSelector = 0xa9059cbb;  // transfer(address,uint256), ERC-20

// Source: splitmix64. The place of a number in a sequence that looks random.
uint64_t mixed(uint64_t number) {
    uint64_t z = (number + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/// Who stands in the genesis; the first of them have keys.
class People {
  public:
    explicit People(uint64_t count) {
        const uint64_t signers = std::min(count, kSigners);
        signers_.reserve(signers);
        addresses_.reserve(count);
        for (uint64_t i = 0; i < signers; ++i) {
            signers_.emplace_back(fmt::format("importer {}", i));
            addresses_.push_back(signers_.back().address);
        }
        for (uint64_t i = signers; i < count; ++i) {
            addresses_.push_back(address_named(fmt::format("account {}", i)));
        }
    }
    const std::vector<Address>& addresses() const { return addresses_; }
    size_t signers() const { return signers_.size(); }
    /// In turns, so that within a block each sends once, if there are enough of them.
    const Signer& sender(uint64_t tx) const { return signers_[tx % signers_.size()]; }
    /// One of the first `among`.
    const Address& recipient(uint64_t tx, size_t among) const {
        return addresses_[mixed(tx) % among];
    }

  private:
    std::vector<Signer> signers_;
    std::vector<Address> addresses_;
};

/// A genesis with the contracts of the protocol, and lines of accounts besides.
class GenesisText {
  public:
    GenesisText() {
        const std::string base =
            genesis_json({.all_forks = false, .gas_limit = kGasLimit, .with_cast = false});
        constexpr std::string_view kAlloc = "\"alloc\": {";
        const size_t at = base.find(kAlloc);
        if (at == std::string::npos) throw std::logic_error("the genesis has no alloc");
        text_ = base.substr(0, at + kAlloc.size());
        rest_ = base.substr(at + kAlloc.size());
    }
    void account(const Address& address, const U256& balance) {
        fmt::format_to(std::back_inserter(text_), "\n\"{}\":{{\"balance\":\"{}\"}},",
                       core::to_hex(address), balance.to_quantity());
    }
    void begin_contract(const Address& address, const core::Bytes& code) {
        fmt::format_to(
            std::back_inserter(text_),
            "\n\"{}\":{{\"balance\":\"0x1\",\"nonce\":\"0x1\",\"code\":\"{}\",\"storage\":{{",
            core::to_hex(address), core::to_hex_prefixed(code));
    }
    void slot(const core::Hash32& slot, uint64_t value) {
        fmt::format_to(std::back_inserter(text_), "{}\"{}\":\"{:#x}\"",
                       text_.back() == '{' ? "\n" : ",\n", core::to_hex_prefixed(slot), value);
    }
    void end_contract() { text_ += "}},"; }
    std::string finish() { return std::move(text_) + rest_; }

  private:
    std::string text_, rest_;
};

void add_people(GenesisText& genesis, const People& people, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        genesis.account(people.addresses()[i],
                        i < people.signers() ? kEther * U256(1'000) : U256(1 + mixed(i) % kGwei));
    }
}

const Address& token() {
    static const Address address = address_named("import token");
    return address;
}
const Address& storage() {
    static const Address address = address_named("import storage");
    return address;
}

/// Slot of a key in the mapping that is the contract's first variable, as solc lays it out.
core::Hash32 mapping_slot(const Address& key) {
    return crypto::keccak256(words({word_of(key), U256(0)}));
}

// Puts the mapping's slot of the address on the stack onto it; uses the first 64 bytes of memory.
Assembler slot_of_address() {
    return Assembler(0, MSTORE, 0, 32, MSTORE, 64, 0, KECCAK256);
}

// transfer(address,uint256) of a token with the usual checks: balances in a mapping, an event,
// true.
core::Bytes token_code() {
    const U256 event = U256::from_be(hash_of("Transfer(address,address,uint256)"));
    return Assembler(0, CALLDATALOAD, 224, SHR, kTransferSelector, EQ)
        .jump_if("transfer")(0, 0, REVERT)
        .label("transfer")(36, CALLDATALOAD, CALLER)
        .raw(slot_of_address().code())  // amount, slot
        .dup(1)(SLOAD)
        .dup(3)
        .dup(2)(LT)
        .jump_if("refuse")  // amount, slot, balance
        .dup(3)
        .swap(1)(SUB)
        .swap(1)(SSTORE)  // amount
        (4, CALLDATALOAD)
        .raw(slot_of_address().code())
        .dup(1)(SLOAD)
        .dup(3)(ADD)
        .swap(1)(SSTORE)(0, MSTORE)(4, CALLDATALOAD, CALLER, event, 32, 0, LOG3, 1, 0, MSTORE, 32,
                                    0, RETURN)
        .label("refuse")(0, 0, REVERT)
        .code();
}

// Call data: a seed. Takes slots at random (low bits of a hash) as long as the gas lasts: adds to
// what is there, or clears it one time in eight.
core::Bytes storage_code(uint64_t slot_mask) {
    return Assembler(0, CALLDATALOAD, 0, MSTORE, 1)  // round
        .label("again")
        .dup(1)(32, MSTORE, 64, 0, KECCAK256)  // round, hash
        .dup(1)(slot_mask, AND)                // round, hash, slot
        .dup(1)(SLOAD)
        .dup(3)(128, SHR, ADD)                                        // round, hash, slot, sum
        .swap(2)(224, SHR, kEmptySlotEvery - 1, AND, ISZERO, ISZERO)  // round, sum, slot, keep
        .swap(1)
        .swap(2)(MUL)  // round, slot, value
        .swap(1)(SSTORE, 1, ADD, kLastRoundGas, GAS, GT)
        .jump_if("again")(STOP)
        .code();
}

using Fill = std::function<void(Draft&, uint64_t first_tx)>;

class ImportCases {
  public:
    ImportCases(std::filesystem::path directory, uint64_t accounts)
        : directory_(std::move(directory)), people_(accounts) {
        manifest_["accounts"] = accounts;
        manifest_["cases"] = Json::array();
    }
    const People& people() const { return people_; }

    void add(const std::string& name, const std::string& about, std::string genesis,
             uint64_t txs_per_block, const Fill& fill) {
        core::write_file_atomically(system_, directory_ / (name + ".json"),
                                    core::ByteView(genesis));
        const chain::Genesis parsed = node::parse_genesis_document(genesis, name);
        genesis = std::string();
        ChainMaker chain(parsed);
        uint64_t gas = 0;
        uint64_t txs = 0;
        for (uint64_t number = 1; number <= kBlocks; ++number) {
            Draft draft(chain, number);
            fill(draft, (number - 1) * txs_per_block);
            chain.add(draft.plan);
            gas += chain.head().gas_used;
            txs += draft.plan.txs.size();
            for (const core::Receipt& receipt : chain.receipts(number)) {
                if (!receipt.success) {
                    throw std::runtime_error(name + ": a transaction fails");
                }
            }
        }
        const core::Bytes file = chain.file(1, kBlocks);
        core::write_file_atomically(system_, directory_ / (name + ".rlp"), file);
        manifest_["cases"].push_back(
            {{"name", name},
             {"about", about},
             {"blocks", kBlocks},
             {"transactions", txs},
             {"gasUsed", gas},
             {"bytes", file.size()},
             {"genesisHash", core::to_hex_prefixed(chain.hash(0))},
             {"head", core::to_hex_prefixed(chain.head_hash())},
             {"stateRoot", core::to_hex_prefixed(chain.head().state_root)}});
        fmt::print("{}: {} blocks, {} transactions, {} gas, {} bytes\n", name, kBlocks, txs, gas,
                   file.size());
    }
    void finish() {
        core::write_file_atomically(system_, directory_ / "manifest.json",
                                    core::ByteView(manifest_.dump(1) + "\n"));
    }

  private:
    core::SystemFiles system_;
    std::filesystem::path directory_;
    People people_;
    Json manifest_;
};

// Between the first accounts alone, or all: signatures decide, or the tries.
void add_transfers(ImportCases& cases, const std::string& name, const std::string& about,
                   size_t accounts) {
    GenesisText genesis;
    add_people(genesis, cases.people(), accounts);
    constexpr uint64_t kTxs = kGasLimit / kTxBaseGas;
    cases.add(name, about, genesis.finish(), kTxs, [&](Draft& draft, uint64_t first) {
        for (uint64_t tx = first; tx < first + kTxs; ++tx) {
            draft.send(cases.people().sender(tx), {.type = TxType::DynamicFee,
                                                   .to = cases.people().recipient(tx, accounts),
                                                   .value = U256(1 + tx),
                                                   .gas = kTxBaseGas,
                                                   .max_fee = U256(kMaxFee)});
        }
    });
}

void add_tokens(ImportCases& cases) {
    GenesisText genesis;
    const size_t holders = cases.people().addresses().size();
    add_people(genesis, cases.people(), holders);
    genesis.begin_contract(token(), token_code());
    for (const Address& address : cases.people().addresses()) {
        genesis.slot(mapping_slot(address), kHolding);
    }
    genesis.end_contract();
    constexpr uint64_t kTxs = kGasLimit / kTokenTxGas;
    cases.add("tokens", "transfers of a token that every account holds", genesis.finish(), kTxs,
              [&](Draft& draft, uint64_t first) {
                  for (uint64_t tx = first; tx < first + kTxs; ++tx) {
                      core::Bytes data{kTransferSelector >> 24, (kTransferSelector >> 16) & 0xff,
                                       (kTransferSelector >> 8) & 0xff, kTransferSelector & 0xff};
                      core::append(data, words({word_of(cases.people().recipient(tx, holders)),
                                                U256(1 + tx)}));
                      draft.send(cases.people().sender(tx), {.type = TxType::DynamicFee,
                                                             .to = token(),
                                                             .data = std::move(data),
                                                             .gas = kTokenTxGas,
                                                             .max_fee = U256(kMaxFee)});
                  }
              });
}

void add_storage(ImportCases& cases) {
    const uint64_t slots = std::bit_floor(cases.people().addresses().size());
    GenesisText genesis;
    for (size_t i = 0; i < cases.people().signers(); ++i) {
        genesis.account(cases.people().addresses()[i], kEther * U256(1'000));
    }
    genesis.begin_contract(storage(), storage_code(slots - 1));
    for (uint64_t i = 0; i < slots; ++i) {
        if (mixed(i) % kEmptySlotEvery == 0) continue;
        genesis.slot(core::Hash32(core::ByteView(U256(i).to_be32())), 1 + mixed(i));
    }
    genesis.end_contract();
    constexpr uint64_t kTxs = kGasLimit / kStorageTxGas;
    cases.add("storage", "loads and stores at random in one large storage", genesis.finish(), kTxs,
              [&](Draft& draft, uint64_t first) {
                  for (uint64_t tx = first; tx < first + kTxs; ++tx) {
                      draft.send(cases.people().sender(tx), {.type = TxType::DynamicFee,
                                                             .to = storage(),
                                                             .data = words({U256(tx)}),
                                                             .gas = kStorageTxGas,
                                                             .max_fee = U256(kMaxFee)});
                  }
              });
}

}  // namespace

int make_import_cases(const std::filesystem::path& directory, uint64_t accounts) {
    std::filesystem::create_directories(directory);
    ImportCases cases(directory, accounts);
    add_transfers(cases, "transfers", "transfers between accounts that all send",
                  cases.people().signers());
    add_transfers(cases, "spread", "transfers to any of all accounts",
                  cases.people().addresses().size());
    add_tokens(cases);
    add_storage(cases);
    cases.finish();
    return 0;
}

}  // namespace keel::testdata
