#include "testdata/make/contracts.hpp"

#include "core/endian.hpp"
#include "core/hex.hpp"
#include "testdata/make/assembler.hpp"

namespace keel::testdata {
namespace {

using enum evm::Op;

constexpr uint64_t kReturnAt = 0x1000;  // memory where the caller wants what comes back
constexpr uint64_t kReturnBytes = 0x100;
constexpr uint64_t kCallGas = 300'000;  // given to calls; before EIP-150 all of it must be there

// memory[0..] = call data behind the first word; leaves nothing.
void copy_all_but_first_word(Assembler& code) {
    code(32, CALLDATASIZE, SUB, 32, 0, CALLDATACOPY);
}

// Stack: value -> nothing. Slot 0 counts the values that are kept in the slots behind it.
void keep_top(Assembler& code) {
    code(0, SLOAD, 1, ADD);  // value, n + 1
    code.dup(1)(0, SSTORE);  // slot 0 = n + 1
    code(SSTORE);            // slot n + 1 = value
}

}  // namespace

core::Bytes logger_code() {
    constexpr int kTopicsMax = 4;
    Assembler code(CALLDATASIZE, 0, 0, CALLDATACOPY);
    for (int topics = 0; topics <= kTopicsMax; ++topics) {
        code(0, CALLDATALOAD, topics, EQ).jump_if("log" + std::to_string(topics));
    }
    code(STOP);
    for (int topics = 0; topics <= kTopicsMax; ++topics) {
        code.label("log" + std::to_string(topics));
        for (int i = topics; i > 0; --i) code(0x1000 + i);
        code(CALLDATASIZE, 0);
        const uint8_t log = static_cast<uint8_t>(static_cast<uint8_t>(LOG0) + topics);
        code.raw(core::ByteView(&log, 1))(STOP);
    }
    return code.code();
}

core::Bytes store_code() {
    Assembler code(0);
    code.label("pair").dup(1)(CALLDATASIZE, GT, ISZERO).jump_if("end");
    code.dup(1)(32, ADD, CALLDATALOAD);          // at, value
    code.dup(2)(CALLDATALOAD, SSTORE, 64, ADD);  // next pair
    return code.jump("pair").label("end")(STOP).code();
}

core::Bytes caller_code() {
    Assembler code;
    copy_all_but_first_word(code);
    code(kReturnBytes, kReturnAt, 32, CALLDATASIZE, SUB, 0, 0);
    code(0, CALLDATALOAD, kCallGas, CALL, 1, ADD);
    keep_top(code);
    code(kReturnBytes, kReturnAt, KECCAK256);
    keep_top(code);
    return code(STOP).code();
}

core::Bytes factory_code() {
    Assembler code;
    copy_all_but_first_word(code);
    code(0, CALLDATALOAD).jump_if("salted");
    code(32, CALLDATASIZE, SUB, 0, 0, CREATE).jump("keep");
    code.label("salted")(0, CALLDATALOAD, 32, CALLDATASIZE, SUB, 0, 0, CREATE2);
    code.label("keep");
    keep_top(code);
    return code(STOP).code();
}

core::Bytes destroyer_code() {
    return Assembler(0, CALLDATALOAD, SELFDESTRUCT).code();
}

core::Bytes reverter_code() {
    return Assembler(1, 0, SSTORE, 0xdead, 0, MSTORE, 32, 0, REVERT).code();
}

core::Bytes spinner_code() {
    return Assembler().label("again").jump("again").code();
}

core::Bytes deposit_code() {
    const core::U256 topic =
        *core::U256::parse("0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
    return Assembler(CALLDATASIZE, 0, 0, CALLDATACOPY, topic, CALLDATASIZE, 0, LOG1, STOP).code();
}

core::Bytes probe_init_code(const core::ForkRules& rules, const core::Address& other) {
    Assembler code;
    uint64_t slot = 0;
    const auto keep = [&] { code(++slot, SSTORE); };  // stack: value
    for (const evm::Op op : {ADDRESS, ORIGIN, CALLER, CALLVALUE, CODESIZE, GASPRICE, COINBASE,
                             TIMESTAMP, NUMBER, DIFFICULTY, GASLIMIT, PC, MSIZE, GAS}) {
        code(op);
        keep();
    }
    code(1, NUMBER, SUB, BLOCKHASH);
    keep();
    code(other, BALANCE);
    keep();
    code(other, EXTCODESIZE);
    keep();
    code(3, core::U256(5), EXP);
    keep();
    if (rules.eip_211) {
        code(RETURNDATASIZE);
        keep();
    }
    if (rules.eip_145) {
        code(1, 255, SHL, 255, SAR);
        keep();
    }
    if (rules.eip_1052) {
        code(other, EXTCODEHASH);
        keep();
    }
    if (rules.eip_1344) {
        code(CHAINID);
        keep();
        code(SELFBALANCE);
        keep();
    }
    if (rules.eip_3198) {
        code(BASEFEE);
        keep();
    }
    if (rules.eip_3855) {
        code(PUSH0);
        keep();
    }
    if (rules.eip_1153) {
        code(7, 1, TSTORE, 1, TLOAD);
        keep();
        code(0xabcd, 0, MSTORE, 32, 0, 16, MCOPY, 16, MLOAD);
        keep();
        code(0, BLOBHASH);
        keep();
        code(BLOBBASEFEE);
        keep();
    }
    if (rules.eip_7939) {
        code(0xff, CLZ);
        keep();
    }
    return code(1, 31, RETURN).code();  // one zero byte of memory
}

core::Bytes words(const std::vector<core::U256>& values) {
    core::Bytes bytes;
    for (const core::U256& value : values) core::append(bytes, value.to_be32());
    return bytes;
}

core::Bytes word_then(const core::U256& word, core::ByteView bytes) {
    core::Bytes joined = words({word});
    core::append(joined, bytes);
    return joined;
}

core::U256 word_of(const core::Address& address) {
    return core::U256::from_be(address);
}

core::Bytes deposit_data(uint8_t seed, uint64_t amount_gwei) {
    struct Part {
        uint64_t offset;
        uint64_t bytes;
    };
    // Public key, withdrawal credentials, amount, signature, index.
    constexpr Part kParts[] = {{160, 48}, {256, 32}, {320, 8}, {384, 96}, {512, 8}};
    core::Bytes data(576);
    uint64_t head = 0;
    for (const Part& part : kParts) {
        core::U256(part.offset).store_be32(data.data() + head);
        core::U256(part.bytes).store_be32(data.data() + part.offset);
        std::fill_n(data.begin() + static_cast<ptrdiff_t>(part.offset + 32), part.bytes,
                    static_cast<uint8_t>(seed + head / 32));
        head += 32;
    }
    // Amount and index are little-endian numbers of 8 bytes (EIP-6110).
    for (unsigned i = 0; i < 8; ++i) {
        data[320 + 32 + i] = static_cast<uint8_t>(amount_gwei >> (8 * i));
        data[512 + 32 + i] = i == 0 ? seed : 0;
    }
    return data;
}

core::Bytes beacon_roots_code() {
    return *core::from_hex(
        "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f358015604957"
        "62001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f"
        "359062001fff015500");
}

core::Bytes block_hashes_code() {
    return *core::from_hex(
        "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257"
        "611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500");
}

core::Bytes withdrawal_requests_code() {
    return *core::from_hex(
        "3373fffffffffffffffffffffffffffffffffffffffe1460cb5760115f54807fffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffff146101f457600182026001905f5b5f821115606857810190"
        "83028483029004916001019190604d565b909390049250505036603814608857366101f457346101f4575f52"
        "60205ff35b34106101f457600154600101600155600354806003026004013381556001015f35815560010160"
        "203590553360601b5f5260385f601437604c5fa0600101600355005b6003546002548082038060101160df57"
        "5060105b5f5b8181146101835782810160030260040181604c02815460601b81526014018160010154815260"
        "20019060020154807fffffffffffffffffffffffffffffffff00000000000000000000000000000000168252"
        "906010019060401c908160381c81600701538160301c81600601538160281c81600501538160201c81600401"
        "538160181c81600301538160101c81600201538160081c81600101535360010160e1565b9101809214610195"
        "57906002556101a0565b90505f6002555f6003555b5f54807fffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffff14156101cd57505f5b6001546002828201116101e25750505f6101e8565b01"
        "600290035b5f555f600155604c025ff35b5f5ffd");
}

core::Bytes consolidation_requests_code() {
    return *core::from_hex(
        "3373fffffffffffffffffffffffffffffffffffffffe1460d35760115f54807fffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffff1461019a57600182026001905f5b5f821115606857810190"
        "83028483029004916001019190604d565b9093900492505050366060146088573661019a573461019a575f52"
        "60205ff35b341061019a57600154600101600155600354806004026004013381556001015f35815560010160"
        "2035815560010160403590553360601b5f5260605f60143760745fa0600101600355005b6003546002548082"
        "038060021160e7575060025b5f5b8181146101295782810160040260040181607402815460601b8152601401"
        "81600101548152602001816002015481526020019060030154905260010160e9565b910180921461013b5790"
        "600255610146565b90505f6002555f6003555b5f54807fffffffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffff141561017357505f5b6001546001828201116101885750505f61018e565b016001"
        "90035b5f555f6001556074025ff35b5f5ffd");
}

core::Address address_of_hex(std::string_view digits) {
    return *core::fixed_from_hex<core::Address>(digits);
}

}  // namespace keel::testdata
