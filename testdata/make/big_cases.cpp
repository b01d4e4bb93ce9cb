#include "testdata/make/big_cases.hpp"

#include <fmt/core.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "chain/tx_rules.hpp"
#include "chain/verdict.hpp"
#include "core/files.hpp"
#include "core/hex.hpp"
#include "evm/call.hpp"
#include "testdata/make/assembler.hpp"
#include "testdata/make/cast.hpp"
#include "testdata/make/chain_maker.hpp"

namespace keel::testdata {
namespace {

using core::TxType;
using core::U256;
using enum evm::Op;
using Json = nlohmann::ordered_json;

constexpr uint64_t kGasLimit = 400'000'000;     // of each block
constexpr uint64_t kTxGasMax = 1 << 24;         // EIP-7825
constexpr uint64_t kBlockBytesMax = 8'388'608;  // EIP-7934
constexpr uint64_t kTxBaseGas = 21'000;
constexpr uint64_t kFloorZeroByte = 10;         // EIP-7623
constexpr uint64_t kFloorByte = 40;             // EIP-7623
constexpr uint64_t kAccessListKey = 1'900;      // EIP-2930
constexpr uint64_t kAccessListAddress = 2'400;  // EIP-2930
constexpr size_t kTransfers = 10'000;           // a block
constexpr size_t kTokenTransfers = 5'000;       // a block
constexpr size_t kFullBlockTxs = 20;            // each as many slots as its gas pays

using Fill = std::function<void(Draft&, uint64_t block)>;

class BigCases {
  public:
    explicit BigCases(std::filesystem::path directory)
        : directory_(std::move(directory)),
          genesis_(genesis_json({.all_forks = false, .gas_limit = kGasLimit, .with_cast = false})) {
    }

    /// `check` may look at the finished chain.
    void add(const std::string& name, const std::string& about, uint64_t blocks, const Fill& fill,
             const std::function<void(const ChainMaker&)>& check = {}) {
        ChainMaker chain(genesis_);
        for (uint64_t number = 1; number <= blocks; ++number) {
            Draft draft(chain, number);
            fill(draft, number);
            chain.add(draft.plan);
        }
        if (check) check(chain);
        keep(name, about, chain.file(1, blocks), chain.number(), chain.head_hash(), "",
             chain.head().gas_used);
    }

    void keep(const std::string& name, const std::string& about, const core::Bytes& file,
              uint64_t head_number, const core::Hash32& head, const std::string& verdict,
              uint64_t gas_used) {
        core::write_file_atomically(system_, directory_ / (name + ".rlp"), file);
        Json entry{{"name", name},
                   {"about", about},
                   {"file", name + ".rlp"},
                   {"bytes", file.size()},
                   {"gasUsedInLast", gas_used},
                   {"head", {{"number", head_number}, {"hash", core::to_hex_prefixed(head)}}}};
        if (!verdict.empty()) entry["refused"] = verdict;
        manifest_.push_back(entry);
        fmt::print("{}: {} bytes, {} gas in the last block\n", name, file.size(), gas_used);
    }

    void finish() {
        core::write_file_atomically(system_, directory_ / "genesis.json", core::ByteView(genesis_));
        core::write_file_atomically(system_, directory_ / "manifest.json",
                                    core::ByteView(manifest_.dump(1) + "\n"));
    }

    const std::string& genesis() const { return genesis_; }

  private:
    core::SystemFiles system_;
    std::filesystem::path directory_;
    std::string genesis_;
    Json manifest_ = Json::array();
};

// ---- Blocks at the limits ---------------------------------------------------------------------

// A block whose RLP has exactly so many bytes: call data of zeros, cut in the last transaction.
BlockParts block_of_size(const ChainMaker& chain, uint64_t bytes) {
    constexpr uint64_t kDataMax = (kTxGasMax - kTxBaseGas) / kFloorZeroByte;
    uint64_t last_data = kDataMax;
    const size_t txs = bytes / kDataMax + 1;
    for (int round = 0; round < 4; ++round) {
        Draft draft(chain, 1);
        for (size_t i = 0; i < txs; ++i) {
            draft.send(cast().alice, {.to = address_named("sink"),
                                      .data = core::Bytes(i + 1 == txs ? last_data : kDataMax),
                                      .gas = kTxGasMax});
        }
        BlockParts parts = chain.make(draft.plan);
        const uint64_t have = encode(parts).size();
        if (have == bytes) return parts;
        if (have > bytes && have - bytes > last_data) throw std::runtime_error("block too small");
        last_data = last_data + bytes - have;
    }
    throw std::runtime_error("no block has this size");
}

void add_block_sizes(BigCases& cases) {
    ChainMaker chain(cases.genesis());
    const BlockParts largest = block_of_size(chain, kBlockBytesMax);
    cases.keep("block-largest", "one block of 8388608 bytes, the limit of EIP-7934",
               encode(largest), 1, hash_of(largest.header), "", largest.header.gas_used);
    cases.keep("block-too-large", "one byte more", encode(block_of_size(chain, kBlockBytesMax + 1)),
               0, chain.head_hash(), std::string(chain::to_string(chain::Verdict::BlockTooLarge)),
               0);
}

void add_gas_caps(BigCases& cases) {
    cases.add("gas-cap", "transactions at the gas cap of EIP-7825: call data, access lists, loops",
              1, [](Draft& draft, uint64_t) {
                  draft.send(cast().alice,
                             {.to = contract::store(),
                              .data = core::Bytes((kTxGasMax - kTxBaseGas) / kFloorByte, 0xff),
                              .gas = kTxGasMax});
                  draft.send(cast().alice,
                             {.to = address_named("sink"),
                              .data = core::Bytes((kTxGasMax - kTxBaseGas) / kFloorByte, 0xff),
                              .gas = kTxGasMax});
                  core::AccessListEntry keys{contract::store(), {}};
                  for (uint64_t i = 0;
                       i < (kTxGasMax - kTxBaseGas - kAccessListAddress) / kAccessListKey; ++i) {
                      keys.keys.emplace_back(core::ByteView(U256(i).to_be32()));
                  }
                  draft.send(cast().alice, {.type = TxType::AccessList,
                                            .to = address_named("sink"),
                                            .gas = kTxGasMax,
                                            .access_list = {keys}});
                  core::AccessList addresses;
                  for (uint64_t i = 0; i < (kTxGasMax - kTxBaseGas) / kAccessListAddress; ++i) {
                      addresses.push_back({address_named(fmt::format("listed {}", i)), {}});
                  }
                  draft.send(cast().alice, {.type = TxType::AccessList,
                                            .to = address_named("sink"),
                                            .gas = kTxGasMax,
                                            .access_list = addresses});
                  draft.send(cast().alice, {.to = contract::spinner(), .gas = kTxGasMax});
              });
}

// ---- Blocks full of one thing -----------------------------------------------------------------

// Gas and refund of a store into a slot, written down from EIP-2200 with the prices of EIP-2929 and
// EIP-3529: what execution is measured against.
struct StorePrice {
    uint64_t gas = 0;
    int64_t refund = 0;
};
StorePrice price_of_store(unsigned original, unsigned current, unsigned next, bool is_warm) {
    StorePrice price{.gas = is_warm ? 0u : 2'100u};
    if (next == current) {
        price.gas += 100;
        return price;
    }
    if (original == current) {
        price.gas += original == 0 ? 20'000 : 2'900;
        if (next == 0) price.refund += 4'800;
        return price;
    }
    price.gas += 100;
    if (original != 0 && current == 0) price.refund -= 4'800;
    if (original != 0 && next == 0) price.refund += 4'800;
    if (next == original) price.refund += original == 0 ? 19'900 : 2'800;
    return price;
}

// Every way from an original value over three new ones, out of {0, 1, 2}, cold and warm: 81 slots
// twice.
constexpr unsigned kValues = 3;
constexpr unsigned kStores = 3;  // in one transaction
constexpr unsigned kWays = kValues * kValues * kValues * kValues;

// Value before (place 0), or that of a store.
unsigned value_of(unsigned way, unsigned place) {
    unsigned rest = way % kWays;
    for (unsigned i = 0; i < place; ++i) rest /= kValues;
    return rest % kValues;
}

void fill_with_stores(Draft& draft, uint64_t block) {
    for (unsigned way = 0; way < 2 * kWays; ++way) {
        const U256 slot(0x1000 + way);
        TxPlan tx{.to = contract::store()};
        if (block == 1) {
            tx.data = words({slot, U256(value_of(way, 0))});
        } else {
            for (unsigned place = 1; place <= kStores; ++place) {
                core::append(tx.data, words({slot, U256(value_of(way, place))}));
            }
            if (way >= kWays) {
                tx.type = TxType::AccessList;
                tx.access_list = {
                    {contract::store(), {core::Hash32(core::ByteView(slot.to_be32()))}}};
            }
        }
        draft.send(cast().alice, tx);
    }
}

void check_store_gas(const ChainMaker& chain) {
    const auto& receipts = chain.receipts(2);
    uint64_t overhead =
        0;  // of the loop around the stores: what the first transaction pays besides
    for (unsigned way = 0; way < 2 * kWays; ++way) {
        const uint64_t used = receipts[way].cumulative_gas_used -
                              (way == 0 ? 0 : receipts[way - 1].cumulative_gas_used);
        const auto tx = core::decode_tx(chain.block(2).txs[way]).value();
        const chain::IntrinsicGas intrinsic =
            chain::intrinsic_gas(tx, core::rules_of(core::Fork::Osaka));
        uint64_t gas = intrinsic.gas;
        int64_t refund = 0;
        for (unsigned place = 1; place <= kStores; ++place) {
            const StorePrice price =
                price_of_store(value_of(way, 0), value_of(way, place - 1), value_of(way, place),
                               way >= kWays || place > 1);
            gas += price.gas;
            refund += price.refund;
        }
        if (way == 0) overhead = used - gas;
        gas += overhead;
        gas -= std::min(static_cast<uint64_t>(refund), gas / 5);  // EIP-3529
        gas = std::max(gas, intrinsic.floor);                     // EIP-7623
        if (gas != used) {
            throw std::runtime_error(
                fmt::format("stores {}: {} gas used, {} by the rules", way, used, gas));
        }
    }
}

void add_sstore_combinations(BigCases& cases) {
    cases.add("sstore-combinations",
              "original value and three stores, each out of 0, 1, 2; cold and warm", 2,
              fill_with_stores, check_store_gas);
}

void add_transfers(BigCases& cases) {
    cases.add("transfers", "10000 transfers a block: to new accounts, then to the same again", 2,
              [](Draft& draft, uint64_t) {
                  for (size_t i = 0; i < kTransfers; ++i) {
                      draft.send(cast().alice, {.to = address_named(fmt::format("payee {}", i)),
                                                .value = U256(1 + i),
                                                .gas = kTxBaseGas});
                  }
              });
}

// A token: slot = holder; (to, amount) moves from the caller, whoever it is; first call mints.
core::Bytes token_code() {
    return Assembler(32, CALLDATALOAD)               // amount
        .dup(1)(CALLER, SLOAD, SUB, CALLER, SSTORE)  // balance[caller] -= amount
        .dup(1)(0, CALLDATALOAD, SLOAD, ADD, 0, CALLDATALOAD, SSTORE)
        .dup(1)(0, MSTORE, 0, CALLDATALOAD, CALLER, 0xddf252ad, 32, 0, LOG3, POP, STOP)
        .code();
}

void add_token_transfers(BigCases& cases) {
    const core::Address token = evm::create_address(cast().alice.address, 0);
    cases.add("token-transfers", "5000 transfers of a token a block: two slots and a log each", 3,
              [&](Draft& draft, uint64_t block) {
                  if (block == 1) {
                      draft.send(cast().alice, {.data = deploy(token_code())});
                      return;
                  }
                  for (size_t i = 0; i < kTokenTransfers; ++i) {
                      const core::Address to = address_named(fmt::format("holder {}", i));
                      draft.send(
                          cast().alice,
                          {.to = token, .data = words({word_of(to), U256(i + 1)}), .gas = 100'000});
                  }
              });
}

// Init code that runs `body` again and again while there is gas enough for one more round. `body`
// begins and ends with the number of the round alone on the stack.
core::Bytes repeat(const Assembler& body, uint64_t gas_of_round) {
    return Assembler(1)
        .label("again")
        .raw(body.code())(1, ADD, gas_of_round, GAS, GT)
        .jump_if("again")(STOP)
        .code();
}

void add_loops(BigCases& cases) {
    const auto full_block = [&](const std::string& name, const std::string& about,
                                const core::Bytes& init, size_t txs = kFullBlockTxs) {
        cases.add(name, about, 1, [&](Draft& draft, uint64_t) {
            for (size_t i = 0; i < txs; ++i) {
                draft.send(cast().alice, {.data = init, .gas = kTxGasMax});
            }
        });
    };
    full_block(
        "logs", "logs of four topics and 256 bytes, as many as the gas pays",
        repeat(Assembler().dup(1)(0, MSTORE).dup(1).dup(2).dup(3).dup(4)(256, 0, LOG4), 10'000));
    full_block("creates", "contracts of one byte, as many as the gas pays",
               // Init code: RETURN of one zero byte.
               repeat(Assembler(U256::from_be(core::Bytes{0x60, 1, 0x60, 0, 0xf3}), 0, MSTORE, 5,
                                27, 0, CREATE, POP),
                      60'000));
    full_block("fresh-slots", "stores into slots that were empty, as many as the gas pays",
               repeat(Assembler().dup(1).dup(1)(SSTORE), 30'000));
    full_block("keccak", "hashes of 4 KiB", repeat(Assembler(4096, 0, KECCAK256, POP), 10'000), 5);
    full_block("memory-copy", "copies of 16 KiB within the memory",
               repeat(Assembler(16384, 0, 1, MCOPY), 30'000));
}

}  // namespace

int make_big_cases(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    BigCases cases(directory);
    add_block_sizes(cases);
    add_gas_caps(cases);
    add_sstore_combinations(cases);
    add_transfers(cases);
    add_token_transfers(cases);
    add_loops(cases);
    cases.finish();
    return 0;
}

}  // namespace keel::testdata
