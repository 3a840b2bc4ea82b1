import { methods } from '../methods';
import { Engine } from './engine';
import { serve } from './serve';

serve(new Engine().handlers(methods));
