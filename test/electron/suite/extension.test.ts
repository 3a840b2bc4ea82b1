import assert from 'node:assert/strict';
import * as vscode from 'vscode';

const identifier = 'layer-lens.layer-lens';

const openSample = async (name: string): Promise<vscode.TextDocument> => {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'the sample workspace is open');
  const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, name));
  await vscode.window.showTextDocument(document);
  return document;
};

const hoverTexts = async (document: vscode.TextDocument, text: string): Promise<string[]> => {
  const offset = document.getText().indexOf(text);
  assert.ok(offset >= 0, `${document.uri.path} holds ${text}`);
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    'vscode.executeHoverProvider',
    document.uri,
    document.positionAt(offset + 1),
  );
  return hovers
    .flatMap(hover => hover.contents)
    .map(content => (typeof content === 'string' ? content : content.value));
};

describe('the extension', () => {
  let document: vscode.TextDocument;

  before(async () => {
    document = await openSample('shapes_cnn.py');
    await vscode.extensions.getExtension(identifier)?.activate();
  });

  after(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  it('activates', () => {
    assert.equal(vscode.extensions.getExtension(identifier)?.isActive, true);
  });

  it('registers every command that its manifest names', async () => {
    const manifest: { contributes?: { commands?: { command: string }[] } } =
      vscode.extensions.getExtension(identifier)?.packageJSON ?? {};
    const named = (manifest.contributes?.commands ?? []).map(({ command }) => command);
    assert.ok(named.includes('layerLens.visualizeLayer'));
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      named.filter(command => !registered.has(command)),
      [],
    );
  });

  it('shows a picture when the mouse rests on a layer', async () => {
    const deadline = Date.now() + 45_000;
    let texts: string[] = [];
    while (Date.now() < deadline && !texts.some(text => text.includes('data:image/png;base64,')))
      texts = await hoverTexts(document, 'conv1');
    assert.ok(
      texts.some(text => text.includes('data:image/png;base64,')),
      texts.join('\n'),
    );
  });
});
