import path from 'node:path';
import { UserError } from '../../../../protocol/errors';
import { arrayFile } from '../arrayFile';
import type { Command } from '../command';
import { withEngine } from '../engineSession';
import { EXIT } from '../exitStatus';
import { INPUT_OPTION, openModelAndFeeds } from '../modelAndFeeds';
import { writeWhole } from '../outputFolder';
import { PREPROCESSING_OPTIONS } from '../preprocessingOptions';
import { jsonText, provenance } from '../resultRecord';

/** `preprocess`: the exact tensor that a picture becomes. */
export const preprocess: Command = {
  name: 'preprocess',
  summary: 'Write the exact tensor that a picture becomes.',
  positionals: ['MODEL'],
  options: [
    {
      ...INPUT_OPTION,
      help: 'The picture, for the input NAME where the model has several.',
      repeatable: false,
    },
    { name: 'out', value: 'FILE.npy', help: 'File to write.' },
    ...PREPROCESSING_OPTIONS,
  ],
  example: 'layer-lens preprocess resnet18.onnx --input dog.jpg --out dog.npy',
  async run(given, context) {
    const [, file] = [given.required('input'), given.required('out')];
    const { described, feeds } = await openModelAndFeeds(given);
    const [feed] = Object.values(feeds);
    if (feed?.kind !== 'image')
      throw new UserError(
        'usage',
        'A .npy file is fed as it is; preprocess needs a picture as --input.',
      );
    const params = {
      model: described.description.path,
      path: feed.path,
      preprocessing: feed.preprocessing,
    };
    const { tensor, notes } = await withEngine(context, engine =>
      engine.call('preprocess', params),
    );
    const array = arrayFile(tensor);
    const record = {
      method: 'preprocess',
      input: tensor.name,
      shape: tensor.shape,
      dtype: tensor.dtype,
      file: path.resolve(file),
      valueRange: array.range,
      ...(await provenance(described, feeds, context.signal)),
      warnings: notes,
    };
    context.signal.throwIfAborted();
    writeWhole(file, array.bytes);
    for (const warning of record.warnings) context.terminal.err(`layer-lens: ${warning}\n`);
    if (given.has('json')) context.terminal.out(jsonText(record));
    return EXIT.done;
  },
};
