// engine_getPayloadVn and engine_getBlobsVn. Source: execution-apis, engine/paris to engine/osaka.

#include <fmt/format.h>

#include <algorithm>

#include "rpc/engine/payloads.hpp"
#include "rpc/members.hpp"
#include "rpc/methods.hpp"
#include "rpc/metrics.hpp"

namespace keel::rpc::engine {
namespace {

constexpr size_t kBlobsMax = 128;
constexpr size_t kCellsPerBlob = 128;  // EIP-7594

Converted<PayloadId> to_payload_id(JsonValue value) {
    const auto bytes = to_bytes(value);
    if (!bytes) return core::unexpected(bytes.error());
    PayloadId id{};
    if (bytes->size() != id.size()) return core::unexpected(std::string("not 8 bytes"));
    std::ranges::copy(*bytes, id.begin());
    return id;
}

bool is_for(unsigned version, const core::ForkRules& rules) {
    switch (version) {
        case 1:
            return !rules.eip_4895;
        case 2:
            return !rules.eip_4844;
        case 3:
            return rules.eip_4844 && !rules.eip_7685;
        case 4:
            return rules.eip_7685 && !rules.eip_7594;
        default:
            return rules.eip_7594;
    }
}

/// From now on the same bytes: with what the pool has, if the parent is still the head.
void freeze(Call& call, BuildProcess& process) {
    if (process.frozen) return;
    process.frozen = true;
    if (call.snapshot().head() != process.parent) return;
    BuildTask task = process.task;
    task.txs.reset();
    if (auto filled = build_block(call, task)) process.built = *std::move(filled);
}

Answer<void> get_payload(Call& call, unsigned version) {
    Args args(call.params, 1);
    const PayloadId id = args.required(0, to_payload_id);
    if (!args.ok()) return args.error();
    const auto process = call.backend.payloads->find(id);
    if (!process) return fail(Code::UnknownPayload, "Unknown payload");
    const core::ForkRules rules =
        call.backend.schedule->at(UINT64_MAX, process->task.attributes.timestamp, true).rules;
    if (!is_for(version, rules)) {
        return fail(
            Code::UnsupportedFork,
            fmt::format("Unsupported fork: engine_getPayloadV{} is not for this payload", version));
    }
    const std::scoped_lock lock(process->mutex);
    freeze(call, *process);
    write_built(call.out, process->built, version);
    return {};
}

struct FoundBlob {
    const core::Bytes* blob = nullptr;
    std::vector<const core::Bytes*> proofs;
    pool::TxHandle owner;
};

/// What the pool has of a versioned hash, with proofs of that version.
std::optional<FoundBlob> find_blob(Call& call, const core::Hash32& hash, uint8_t version) {
    if (call.backend.pool == nullptr) return std::nullopt;
    FoundBlob found;
    found.owner = call.backend.pool->find_blob(hash);
    if (found.owner && version == 1) found.owner = call.backend.pool->with_cells(found.owner);
    if (!found.owner || found.owner->sidecar->version != version) return std::nullopt;
    const auto& hashes = found.owner->tx.blob_hashes;
    const auto index = static_cast<size_t>(std::ranges::find(hashes, hash) - hashes.begin());
    const pool::Sidecar& sidecar = *found.owner->sidecar;
    found.blob = &sidecar.blobs[index];
    const size_t count = version == 1 ? kCellsPerBlob : 1;
    for (size_t i = 0; i < count; ++i) found.proofs.push_back(&sidecar.proofs[index * count + i]);
    return found;
}

void write_blob(JsonOut& out, const std::optional<FoundBlob>& found, bool of_cells) {
    if (!found) {
        out.null();
        return;
    }
    out.begin_object();
    out.data("blob", *found->blob);
    if (of_cells) {
        out.key("proofs");
        out.begin_array();
        for (const core::Bytes* const proof : found->proofs) out.data(*proof);
        out.end_array();
    } else {
        out.data("proof", *found->proofs.front());
    }
    out.end_object();
}

Answer<void> get_blobs(Call& call, unsigned version) {
    Args args(call.params, 1);
    const auto hashes = args.required(0, +[](JsonValue value) { return to_list(value, to_hash); });
    if (!args.ok()) return args.error();
    if (hashes.size() > kBlobsMax) {
        return fail(Code::TooLargeRequest, fmt::format("Too large request: {} blobs, at most {}",
                                                       hashes.size(), kBlobsMax));
    }
    Snapshot& snapshot = call.snapshot();
    const uint64_t now = snapshot.header(snapshot.head()).timestamp;
    const bool osaka = call.backend.schedule->at(UINT64_MAX, now, true).rules.eip_7594;
    if (version == 1 && osaka) {
        return fail(Code::UnsupportedFork, "Unsupported fork: engine_getBlobsV1 ends with Osaka");
    }
    if (version > 1 && !osaka) {
        call.out.null();
        return {};
    }
    std::vector<std::optional<FoundBlob>> found;
    for (const core::Hash32& hash : hashes) {
        found.push_back(find_blob(call, hash, version == 1 ? 0 : 1));
    }
    const auto available = static_cast<size_t>(
        std::ranges::count_if(found, [](const auto& each) { return each.has_value(); }));
    if (call.backend.metrics != nullptr) {
        call.backend.metrics->blobs_asked(hashes.size(), available);
    }
    const bool all = available == hashes.size();
    if (version == 2 && !all) {
        call.out.null();
        return {};
    }
    call.out.begin_array();
    for (const auto& each : found) write_blob(call.out, each, version > 1);
    call.out.end_array();
    return {};
}

}  // namespace

Answer<void> get_payload_v1(Call& call) {
    return get_payload(call, 1);
}
Answer<void> get_payload_v2(Call& call) {
    return get_payload(call, 2);
}
Answer<void> get_payload_v3(Call& call) {
    return get_payload(call, 3);
}
Answer<void> get_payload_v4(Call& call) {
    return get_payload(call, 4);
}
Answer<void> get_payload_v5(Call& call) {
    return get_payload(call, 5);
}

Answer<void> get_blobs_v1(Call& call) {
    return get_blobs(call, 1);
}
Answer<void> get_blobs_v2(Call& call) {
    return get_blobs(call, 2);
}
Answer<void> get_blobs_v3(Call& call) {
    return get_blobs(call, 3);
}

}  // namespace keel::rpc::engine
