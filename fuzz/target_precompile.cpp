// One precompile, by its address: fuzz_precompile --precompile=0x0b. Else the first byte of the
// input says which.

#include <cstdlib>
#include <string_view>

#include "core/types/fork.hpp"
#include "core/u256.hpp"
#include "evm/precompiles/table.hpp"
#include "fuzz/fuzz.hpp"

using namespace keel;

namespace {

uint16_t chosen = 0;  // 0: none

struct Ran {
    bool success = false;
    core::Bytes output;
};

constexpr int64_t kGas = 3'000'000;

Ran run(uint16_t address, core::ByteView input, core::Fork fork) {
    core::Address at;
    at[18] = static_cast<uint8_t>(address >> 8);
    at[19] = static_cast<uint8_t>(address);
    const core::ForkRules rules = core::rules_of(fork);
    const evm::Precompile* const precompile = evm::find_precompile(at, rules);
    if (precompile == nullptr) return {};
    Ran ran;
    const auto result = evm::run_precompile(*precompile, input, kGas, rules, ran.output);
    ran.success = result.status == evm::PrecompileStatus::Success;
    fuzz::require(result.gas_left >= 0 && result.gas_left <= kGas, "gas left is within the gas");
    fuzz::require(ran.success || (ran.output.empty() && result.gas_left == 0),
                  "a failure leaves nothing");
    return ran;
}

/// Two points of an addition in the other order.
core::Bytes swapped(core::ByteView input, size_t point) {
    core::Bytes both = input.sub(0, 2 * point).to_bytes();
    both.resize(2 * point);
    std::rotate(both.begin(), both.begin() + static_cast<std::ptrdiff_t>(point), both.end());
    return both;
}

size_t output_size(uint16_t address) {
    switch (address) {
        case 0x02:
        case 0x03:
        case 0x08:
        case 0x0f:
            return 32;
        case 0x06:
        case 0x07:
        case 0x09:
        case 0x0a:
            return 64;
        case 0x0b:
        case 0x0c:
        case 0x10:
            return 128;
        case 0x0d:
        case 0x0e:
        case 0x11:
            return 256;
        default:
            return 0;  // depends
    }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    constexpr std::string_view kFlag = "--precompile=";
    for (int i = 1; i < *argc; ++i) {
        const std::string_view argument = (*argv)[i];
        if (argument.starts_with(kFlag)) {
            chosen = static_cast<uint16_t>(
                std::strtoul(argument.substr(kFlag.size()).data(), nullptr, 0));
        }
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    uint16_t address = chosen;
    if (address == 0)
        address = data[0] % 18 == 17 ? 0x100 : static_cast<uint16_t>(data[0] % 18 + 1);
    const core::ByteView input(data + 1, size - 1);
    // The prices of modexp and bn254 changed with forks, results never did.
    const Ran ran = run(address, input, core::Fork::Osaka);
    if (ran.success) {
        const size_t expected = output_size(address);
        fuzz::require(expected == 0 || ran.output.size() == expected, "the size of the output");
        const bool new_here = address == 0x100;
        if (!new_here) {
            const Ran before = run(address, input, core::Fork::Prague);
            fuzz::require(!before.success || before.output == ran.output,
                          "the result is the same in every fork");
        }
    }
    switch (address) {
        case 0x04:
            fuzz::require(core::ByteView(ran.output) == input || !ran.success, "identity");
            break;
        case 0x06: {
            const Ran other = run(address, swapped(input, 64), core::Fork::Osaka);
            fuzz::require(other.success == ran.success && other.output == ran.output,
                          "addition commutes");
            break;
        }
        case 0x0b:
        case 0x0d: {
            const size_t point = address == 0x0b ? 128 : 256;
            if (input.size() != 2 * point) break;
            const Ran other = run(address, swapped(input, point), core::Fork::Osaka);
            fuzz::require(other.success == ran.success && other.output == ran.output,
                          "addition commutes");
            break;
        }
        default:
            break;
    }
    return 0;
}
