// Code on the interpreter and on the reference machine of tests/differential.

#include <cstdio>

#include "core/types/fork.hpp"
#include "fuzz/fuzz.hpp"
#include "tests/differential/compare.hpp"

using namespace keel;
using namespace keel::differential;

namespace {

Address address_of(uint8_t high, uint8_t low) {
    Address address;
    address[18] = high;
    address[19] = low;
    return address;
}

/// A world of two contracts; the first one is called. Layout: fork, gas (3), flags, length of the
/// second code, the second code, the first.
Scenario scenario_of(core::ByteView bytes) {
    fuzz::Input input(bytes);
    Scenario scenario;
    scenario.fork =
        static_cast<core::Fork>(input.byte() % (static_cast<int>(core::Fork::Osaka) + 1));
    evm::BlockContext& block = scenario.block;
    block.coinbase = address_of(0xcb, 1);
    block.number = 1000;
    block.timestamp = 1'700'000'000;
    block.gas_limit = 30'000'000;
    block.difficulty = 131072;
    block.base_fee = 7;
    block.blob_base_fee = 1;
    block.chain_id = 1;
    scenario.gas_price = 10;
    scenario.keys = {0, 1, 2};
    const Address first = address_of(0xc0, 0), second = address_of(0xc0, 1);
    const Address payer = address_of(0xaa, 1);
    scenario.interesting = {first, second, payer, address_of(0, 3), block.coinbase};
    scenario.with_storage = 2;

    Call call;
    call.gas = static_cast<int64_t>(input.number(3) % 300'000);
    const uint8_t flags = input.byte();
    const core::ByteView helper = input.take(input.byte());
    scenario.accounts.push_back({payer, 5, U256(1'000'000), {}, {}});
    scenario.accounts.push_back({second, 1, U256(100), helper.to_bytes(), {{U256(1), U256(7)}}});
    call.sender = payer;
    call.value = flags & 0x0f;
    if ((flags & 0x10) != 0) {
        call.kind = Kind::Create;
        call.recipient = address_of(0xc0, 9);
        call.input = input.rest().to_bytes();
    } else {
        scenario.accounts.push_back(
            {first, 1, U256(50), input.rest().to_bytes(), {{U256(), U256(3)}}});
        call.recipient = call.code_address = first;
        call.input = helper.sub(0, 68).to_bytes();
    }
    scenario.messages.push_back(call);
    if ((flags & 0x20) != 0 && call.kind == Kind::Call) scenario.messages.push_back(call);
    return scenario;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > 4096) return 0;
    static Comparison comparison;
    const Scenario scenario = scenario_of(core::ByteView(data, size));
    if (const auto difference = comparison.first_difference(scenario)) {
        std::fprintf(stderr, "%s%s", difference->c_str(), to_text(scenario).c_str());
        fuzz::require(false, "the machines agree");
    }
    return 0;
}
