import { broadcast } from '../dimensions';
import { dataTypeOf } from '../../dataTypes';
import { type Rule, tensor } from '../rule';

/** QuantizeLinear: the type of the zero point, `output_dtype` (since 21), else uint8. */
export const quantizeLinear: Rule = node => {
  const declared = node.hasAttribute('output_dtype')
    ? dataTypeOf(node.int('output_dtype', 0))
    : 'undefined';
  const type = node.has(2) ? node.dtype(2) : declared === 'undefined' ? 'uint8' : declared;
  return [tensor(type, node.shape(0))];
};

/** DequantizeLinear: the type of the scale, or `output_dtype` (since 23). */
export const dequantizeLinear: Rule = node => {
  const declared = node.hasAttribute('output_dtype')
    ? dataTypeOf(node.int('output_dtype', 0))
    : 'undefined';
  return [tensor(declared === 'undefined' ? node.dtype(1) : declared, node.shape(0))];
};

/** DynamicQuantizeLinear: uint8, scale and zero point. */
export const dynamicQuantizeLinear: Rule = node => [
  tensor('uint8', node.shape(0)),
  tensor('float32', []),
  tensor('uint8', []),
];

/** com.microsoft.QLinearAdd and QLinearMul: A is input 0, B input 3. */
export const quantizedBroadcasting: Rule = node => [
  tensor(node.dtype(0), broadcast([node.shape(0), node.shape(3)])),
];

/** com.microsoft.QLinearWhere: condition 0, X 1, Y 4. */
export const quantizedWhere: Rule = node => [
  tensor(node.dtype(1), broadcast([node.shape(0), node.shape(1), node.shape(4)])),
];
