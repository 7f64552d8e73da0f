// Arrays in the layout of safetensors, as Python packs them.

/** @typedef {Float32Array | Float64Array | Int32Array | Uint8Array} Numbers */
/** @typedef {{shape: number[], data: Numbers}} Tensor */

const KINDS = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array };

/**
 * The arrays of a safetensors file, and what its header tells of them.
 * @param {ArrayBuffer} bytes
 * @returns {{told: Record<string, string>, tensors: Map<string, Tensor>}}
 */
export function unpacked(bytes) {
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
  const tensors = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const kind = KINDS[/** @type {keyof typeof KINDS} */ (entry.dtype)];
    const [begin, end] = entry.data_offsets;
    const data = new kind(bytes, 8 + length + begin, (end - begin) / kind.BYTES_PER_ELEMENT);
    tensors.set(name, { shape: entry.shape, data });
  }
  return { told: header.__metadata__ ?? {}, tensors };
}

/**
 * Frames as they were before Python made them packable; `packing.py` says how.
 * @param {Tensor} tensor its first axis are the frames
 * @returns {Tensor}
 */
export function summed({ shape, data }) {
  const size = data.length / shape[0];
  if (data instanceof Uint8Array) {
    const row = shape[shape.length - 1];
    for (let i = 0; i < data.length; i++) if (i % row) data[i] += data[i - 1];
    for (let i = size; i < data.length; i++) data[i] += data[i - size];
    return { shape, data };
  }
  if (data.BYTES_PER_ELEMENT !== 4) return { shape, data };
  const planes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength), n = data.length;
  const whole = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const number = planes[i] | planes[n + i] << 8 | planes[2 * n + i] << 16 | planes[3 * n + i] << 24;
    whole[i] = number + (i < size || data instanceof Int32Array ? 0 : whole[i - size]);
  }
  const kind = data instanceof Int32Array ? Int32Array : Float32Array;
  return { shape, data: new kind(whole.buffer) };
}
