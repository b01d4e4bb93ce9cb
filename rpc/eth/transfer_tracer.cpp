#include "rpc/eth/transfer_tracer.hpp"

#include <algorithm>

#include "evm/call.hpp"

namespace keel::rpc::eth {
namespace {

constexpr uint8_t kLog0 = 0xa0;
constexpr uint8_t kLog4 = 0xa4;
constexpr uint8_t kSelfDestruct = 0xff;

// keccak256("Transfer(address,address,uint256)"), the event of ERC-20.
constexpr core::Hash32 kTransferTopic({0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b,
                                       0x69, 0xc2, 0xb0, 0x68, 0xfc, 0x37, 0x8d, 0xaa,
                                       0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4, 0xa1, 0x16,
                                       0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef});

core::Hash32 word_of(const core::Address& address) {
    core::Hash32 word;
    std::ranges::copy(address.bytes, word.bytes.begin() + 12);
    return word;
}

}  // namespace

void TransferTracer::add_transfer(const Move& move) {
    if (!traces_transfers_ || move.value.is_zero()) return;
    core::Log log;
    log.address.bytes.fill(0xee);
    log.topics = {kTransferTopic, word_of(move.from), word_of(move.to)};
    const auto value = move.value.to_be32();
    log.data = core::ByteView(value).to_bytes();
    add(std::move(log));
}

void TransferTracer::enter(const evm::Message& message) {
    frames_.push_back(logs_.size());
    const bool moves = message.kind == evm::CallKind::Call || message.kind == evm::CallKind::Create;
    if (moves) add_transfer({message.sender, message.recipient, message.value});
}

void TransferTracer::exit(const evm::Message&, const evm::CallResult& result) {
    if (result.status != evm::Status::Success) logs_.resize(frames_.back());
    frames_.pop_back();
}

void TransferTracer::step(const evm::Step& step) {
    logs_now_ = step.op >= kLog0 && step.op <= kLog4;
    moves_.reset();
    if (step.op != kSelfDestruct || step.stack.empty()) return;
    const auto beneficiary = step.stack.back().to_be32();
    moves_ = Move{step.message.recipient, core::Address(core::ByteView(beneficiary).sub(12)),
                  step.evm.host.balance(step.message.recipient)};
}

void TransferTracer::charged(int64_t) {
    if (logs_now_) add(journal_.logs().back());
    if (moves_) add_transfer(*moves_);
    fault({});
}

void TransferTracer::fault(evm::Status) {
    logs_now_ = false;
    moves_.reset();
}

}  // namespace keel::rpc::eth
