#include "rpc/engine/payloads.hpp"

#include <algorithm>

#include "crypto/sha256.hpp"

namespace keel::rpc::engine {

PayloadId payload_id_of(unsigned version, const core::Hash32& parent,
                        const PayloadAttributes& attributes) {
    core::Bytes text;
    core::append(text, parent);
    core::rlp_append_uint(text, attributes.timestamp);
    core::append(text, attributes.prev_randao);
    core::append(text, attributes.fee_recipient);
    if (attributes.withdrawals) {
        const size_t begin = core::rlp_begin_list(text);
        for (const core::Withdrawal& one : *attributes.withdrawals) append_withdrawal(text, one);
        core::rlp_end_list(text, begin);
    }
    if (attributes.parent_beacon_root) core::append(text, *attributes.parent_beacon_root);
    const core::Hash32 digest = crypto::sha256(text);
    PayloadId id{};
    std::copy_n(digest.bytes.begin(), id.size(), id.begin());
    id[0] = static_cast<uint8_t>(version);
    return id;
}

std::shared_ptr<BuildProcess> Payloads::find(const PayloadId& id) {
    const std::scoped_lock lock(mutex_);
    const auto found =
        std::ranges::find_if(processes_, [&](const auto& process) { return process->id == id; });
    return found == processes_.end() ? nullptr : *found;
}

void Payloads::add(std::shared_ptr<BuildProcess> process) {
    const std::scoped_lock lock(mutex_);
    if (processes_.size() == kKept) processes_.pop_front();
    processes_.push_back(std::move(process));
}

}  // namespace keel::rpc::engine
