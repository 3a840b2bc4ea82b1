"""Whole networks from torch, torchvision, timm and transformers, at reduced size and width."""

import timm
import torch
import transformers
from timm.models import beit, cait, crossvit, davit, eva, levit, maxxvit, mlp_mixer, mvitv2, nest, pvt_v2, twins, xcit
from timm.models import swin_transformer, swin_transformer_v2, vision_transformer, vision_transformer_sam
from torch import nn
from torchvision import models

from case import BOTH, Block, Case

TORCHSCRIPT = (('torchscript', 17),)


def picture(size=32):
    return lambda: (torch.randn(1, 3, size, size),)


def blocks(*counts):
    """(2, 3, 'self') stands for two blocks of three heads."""
    return tuple(Block(heads, kind) for count, heads, kind in counts for _ in range(count))


def case(name, make, inputs, *counts, **more):
    return Case(name, make, inputs, blocks(*counts), **{'exports': BOTH, **more})


def matrices(found):
    """Without class scores and other softmaxes that are no matrices."""
    return [each for each in found if each.dim() >= 3]


VIT = {'img_size': 32, 'patch_size': 8, 'embed_dim': 48, 'depth': 2, 'num_heads': 3, 'num_classes': 5}


def vit(**options):
    return lambda: vision_transformer.VisionTransformer(**{**VIT, **options})


def written_out(make):
    """Without the fused form of PyTorch."""

    def made():
        model = make()
        for module in model.modules():
            if hasattr(module, 'fused_attn'):
                module.fused_attn = False
        return model

    return made


def twin():
    return twins.Twins(
        img_size=64, patch_size=4, num_classes=5, embed_dims=(16, 32), num_heads=(2, 4), mlp_ratios=(2, 2),
        depths=(2, 2), sr_ratios=(4, 2), wss=(4, 4), block_cls=twins.Block,
    )


def pyramid():
    return pvt_v2.PyramidVisionTransformerV2(
        num_classes=5, depths=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32), num_heads=(1, 2, 2, 4),
        sr_ratios=(8, 4, 2, 1), mlp_ratios=(2, 2, 2, 2),
    )


def max_vit():
    cfg = maxxvit.MaxxVitCfg(
        embed_dim=(32, 64), depths=(1, 1), block_type=('M', 'M'), stem_width=16,
        transformer_cfg=maxxvit.MaxxVitTransformerCfg(dim_head=16, window_size=(4, 4), grid_size=(4, 4)),
    )
    return maxxvit.MaxxVit(cfg, img_size=64, num_classes=5)


def swin(make=swin_transformer.SwinTransformer, **options):
    return lambda: make(
        img_size=32, patch_size=2, num_classes=5, embed_dim=24, depths=(2, 2), num_heads=(3, 6), window_size=4, **options,
    )


def torchvision_swin(**options):
    return lambda: models.SwinTransformer(
        patch_size=[2, 2], embed_dim=24, depths=[2, 2], num_heads=[3, 6], window_size=[4, 4], num_classes=5, **options,
    )


def crossed():
    return crossvit.CrossVit(
        img_size=48, img_scale=(1.0, 1.0), patch_size=(12, 16), num_classes=5, embed_dim=(24, 48),
        depth=((1, 1, 0),), num_heads=(3, 3), mlp_ratio=(2, 2, 1),
    )


class Decoder(nn.Module):
    """Queries that look at each other and at a memory, as in DETR."""

    def __init__(self, weights=False):
        super().__init__()
        self.transformer = nn.Transformer(24, 3, 2, 2, 48, batch_first=True)
        self.embed = nn.Conv2d(3, 24, 8, 8)
        self.queries = nn.Parameter(torch.randn(1, 6, 24))

    def forward(self, x):
        memory = self.embed(x).flatten(2).transpose(1, 2)
        return self.transformer(memory, self.queries.expand(x.shape[0], -1, -1))


# ---------------------------------------------------------------- transformers

IDS = torch.tensor([[1, 5, 7, 2, 9, 3, 4]])
SMALL = {'vocab_size': 30, 'hidden_size': 24, 'num_hidden_layers': 2, 'num_attention_heads': 3, 'intermediate_size': 32}


class Called(nn.Module):
    """One input of a model of transformers, by name, and its first output."""

    def __init__(self, model, *names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs):
        return self.model(**dict(zip(self.names, inputs)), return_dict=False, use_cache=False)[0]


class CalledPlainly(Called):
    def forward(self, *inputs):
        return self.model(**dict(zip(self.names, inputs)), return_dict=False)[0]


def text(make, config, *names, call=Called, **options):
    def made():
        kind = getattr(transformers, f'{make}Config')
        model = getattr(transformers, config)(kind(**options, attn_implementation='eager'))
        return call(model, *names)

    return made


def ids():
    return (IDS, torch.ones_like(IDS))


GPT2 = {'vocab_size': 30, 'n_embd': 24, 'n_layer': 2, 'n_head': 3, 'n_positions': 32}
BART = {
    'vocab_size': 30, 'd_model': 24, 'encoder_layers': 1, 'decoder_layers': 2, 'encoder_attention_heads': 3,
    'decoder_attention_heads': 3, 'encoder_ffn_dim': 32, 'decoder_ffn_dim': 32, 'max_position_embeddings': 32,
}
T5 = {'vocab_size': 30, 'd_model': 24, 'd_kv': 8, 'd_ff': 32, 'num_layers': 1, 'num_heads': 3}
WHISPER = {**BART, 'num_mel_bins': 8, 'max_source_positions': 20, 'max_target_positions': 16, 'pad_token_id': 0,
           'bos_token_id': 1, 'eos_token_id': 2, 'decoder_start_token_id': 1}
LLAMA = {**SMALL, 'num_attention_heads': 4, 'num_key_value_heads': 2, 'max_position_embeddings': 32}
DEBERTA = {**SMALL, 'relative_attention': True, 'pos_att_type': ['p2c', 'c2p'], 'max_relative_positions': 8, 'position_buckets': 8,
           'share_att_key': True, 'norm_rel_ebd': 'layer_norm'}
VISION = {'hidden_size': 48, 'num_hidden_layers': 2, 'num_attention_heads': 3, 'intermediate_size': 48, 'image_size': 32, 'patch_size': 8}


def causal(count, heads, key_heads=None):
    return tuple(Block(heads, 'self', True, key_heads) for _ in range(count))


DECODER = tuple(Block(3, kind, kind == 'self') for _ in range(2) for kind in ('self', 'cross'))

CASES = [
    case('vit', vit(), picture(), (2, 3, 'self')),
    case('vitWrittenOut', written_out(vit()), picture(), (2, 3, 'self')),
    case('vitRegisters', vit(reg_tokens=4), picture(), (2, 3, 'self')),
    case('vitNormedHeads', vit(qk_norm=True, class_token=False, global_pool='avg'), picture(), (2, 3, 'self')),
    case('vitPooledByAttention', vit(global_pool='map', class_token=False), picture(), (2, 3, 'self'), (1, 3, 'cross')),
    case('eva', lambda: eva.Eva(img_size=32, patch_size=8, num_classes=5, embed_dim=48, depth=2, num_heads=3, use_rot_pos_emb=True),
         picture(), (2, 3, 'self')),
    case('beit', lambda: beit.Beit(img_size=32, patch_size=8, num_classes=5, embed_dim=48, depth=2, num_heads=3, use_abs_pos_emb=False,
                                   use_rel_pos_bias=True), picture(), (2, 3, 'self')),
    case('cait', lambda: cait.Cait(img_size=32, patch_size=8, num_classes=5, embed_dim=48, depth=2, num_heads=3), picture(),
         (2, 3, 'self'), (2, 3, 'class')),
    case('swin', swin(), picture(), (2, 3, 'windowed'), (2, 6, 'windowed')),
    case('swinWrittenOut', written_out(swin()), picture(), (2, 3, 'windowed'), (2, 6, 'windowed')),
    case('swin2', swin(swin_transformer_v2.SwinTransformerV2), picture(), (2, 3, 'windowed'), (2, 6, 'windowed')),
    case('torchvisionSwin', torchvision_swin(), picture(), (2, 3, 'windowed'), (2, 6, 'windowed')),
    case('torchvisionVit', lambda: models.VisionTransformer(32, 8, 2, 3, 48, 96, num_classes=5), picture(), (2, 3, 'self')),
    case('torchvisionMaxVit', lambda: models.MaxVit((64, 64), 16, 4, [16, 32], [1, 1], 8, 0.0, num_classes=5), picture(64),
         (2, 2, 'windowed'), (2, 4, 'windowed'), lookalikes=('squeeze-excite',) * 2),
    case('maxVit', max_vit, picture(64), (2, 2, 'windowed'), (2, 4, 'windowed'), lookalikes=('squeeze-excite',) * 2),
    case('twins', twin, picture(64), (1, 2, 'windowed'), (1, 2, 'self'), (1, 4, 'windowed'), (1, 4, 'self')),
    case('pyramid', pyramid, picture(64), (1, 1, 'self'), (2, 2, 'self'), (1, 4, 'self')),
    case('nest', lambda: nest.Nest(img_size=32, patch_size=4, num_levels=2, embed_dims=(24, 48), num_heads=(3, 6), depths=(1, 1), num_classes=5),
         picture(), (1, 3, 'windowed'), (1, 6, 'windowed'), canonical=lambda p: p.transpose(1, 2)),
    case('segmentAnything', lambda: vision_transformer_sam.VisionTransformerSAM(
        img_size=64, patch_size=8, num_classes=5, embed_dim=48, depth=2, num_heads=3, window_size=4, global_attn_indexes=(1,), use_rel_pos=True),
        picture(64), (1, 3, 'windowed'), (1, 3, 'self')),
    case('davit', lambda: davit.DaVit(depths=(1, 1), embed_dims=(24, 48), num_heads=(3, 6), window_size=4, num_classes=5), picture(64),
         (1, 3, 'windowed'), (1, 3, 'channel'), (1, 6, 'windowed'), (1, 6, 'channel')),
    case('xcit', lambda: xcit.Xcit(img_size=32, patch_size=8, num_classes=5, embed_dim=48, depth=2, num_heads=3, cls_attn_layers=2),
         picture(), (2, 3, 'channel'), (2, 3, 'class')),
    case('levit', lambda: levit.LevitDistilled(img_size=64, num_classes=5, embed_dim=(32, 48), key_dim=8, depth=(1, 1), num_heads=(2, 3)),
         picture(64), (1, 2, 'self'), (1, 4, 'self'), (1, 3, 'self')),
    case('multiscale', lambda: mvitv2.MultiScaleVit(mvitv2.MultiScaleVitCfg(depths=(1, 1), embed_dim=(24, 48), num_heads=(1, 2)), img_size=32,
                                                    num_classes=5), picture(), (1, 1, 'self'), (1, 2, 'self')),
    case('crossed', crossed, picture(48), (2, 3, 'self'), (2, 3, 'class')),
    case('encoder', lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(24, 3, 48, batch_first=True), 2), lambda: (torch.randn(2, 7, 24),),
         (2, 3, 'self')),
    # the first layer of the decoder looks at learned queries only: the exporter computes it beforehand
    case('decoder', Decoder, picture(), (2, 3, 'self'), (1, 3, 'cross'), (1, 3, 'self'), (1, 3, 'cross'),
         picks=lambda found: found[:2] + found[3:]),
    Case('bert', text('Bert', 'BertModel', 'input_ids', 'attention_mask', call=CalledPlainly, **SMALL), ids, blocks((2, 3, 'self')), BOTH),
    Case('distilbert', text('DistilBert', 'DistilBertModel', 'input_ids', 'attention_mask', call=CalledPlainly, vocab_size=30, dim=24, n_layers=2,
                            n_heads=3, hidden_dim=32), ids, blocks((2, 3, 'self')), BOTH),
    Case('gpt2', text('GPT2', 'GPT2Model', 'input_ids', **GPT2), lambda: (IDS,), causal(2, 3), BOTH),
    Case('bart', text('Bart', 'BartModel', 'input_ids', 'decoder_input_ids', **BART), lambda: (IDS, IDS[:, :5]), blocks((1, 3, 'self')) + DECODER, BOTH),
    Case('t5', text('T5', 'T5Model', 'input_ids', 'decoder_input_ids', **T5), lambda: (IDS, IDS[:, :5]),
         (Block(3), Block(3, 'self', True), Block(3, 'cross')), BOTH),
    Case('whisper', text('Whisper', 'WhisperModel', 'input_features', 'decoder_input_ids', **WHISPER),
         lambda: (torch.randn(1, 8, 40), IDS[:, :5]), blocks((1, 3, 'self')) + DECODER, BOTH),
    Case('llama', text('Llama', 'LlamaModel', 'input_ids', **LLAMA), lambda: (IDS,), causal(2, 4, 2), BOTH),
    Case('deberta', text('DebertaV2', 'DebertaV2Model', 'input_ids', 'attention_mask', call=CalledPlainly, **DEBERTA), ids, blocks((2, 3, 'self')), BOTH),
    Case('clipVision', text('CLIPVision', 'CLIPVisionModel', 'pixel_values', call=CalledPlainly, **VISION), picture(), blocks((2, 3, 'self')), BOTH),
    Case('dino', text('Dinov2WithRegisters', 'Dinov2WithRegistersModel', 'pixel_values', call=CalledPlainly, **VISION), picture(),
         blocks((2, 3, 'self')), BOTH),
    Case('segformer', text('Segformer', 'SegformerModel', 'pixel_values', call=CalledPlainly, num_encoder_blocks=2, depths=[1, 1], sr_ratios=[4, 2],
                           hidden_sizes=[16, 32], patch_sizes=[7, 3], strides=[4, 2], num_attention_heads=[1, 2], mlp_ratios=[2, 2]), picture(64),
         blocks((1, 1, 'self'), (1, 2, 'self')), BOTH),
    # no attention, or none with probabilities
    case('mobileNet3', lambda: models.mobilenet_v3_small(num_classes=5), picture(), lookalikes=('squeeze-excite',) * 9),
    case('efficientNet', lambda: timm.create_model('efficientnet_lite0', num_classes=5), picture()),
    case('regNet', lambda: models.regnet_y_400mf(num_classes=5), picture(), lookalikes=('squeeze-excite',) * 16),
    case('selectiveKernel', lambda: timm.create_model('skresnet18', num_classes=5), picture()),
    case('splitAttention', lambda: timm.create_model('resnest14d', num_classes=5), picture()),
    case('globalContext', lambda: timm.create_model('gcresnet33ts', num_classes=5), picture(64)),
    case('mixer', lambda: mlp_mixer.MlpMixer(num_classes=5, img_size=32, patch_size=8, num_blocks=2, embed_dim=24), picture()),
    case('linearEfficientVit', lambda: timm.create_model('efficientvit_b0', num_classes=5), picture(64), lookalikes=('linear',) * 4),
    case('denseNet', lambda: models.densenet121(num_classes=5), picture(), exports=TORCHSCRIPT),
]
